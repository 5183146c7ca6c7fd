#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "redis/client.hpp"

namespace spdlog {
class logger;
}

namespace postrider::test {

using namespace std::chrono_literals;

// What the client says to the log, as long as this lives.
class log_capture {
 public:
    log_capture();
    log_capture(const log_capture&) = delete;
    log_capture& operator=(const log_capture&) = delete;
    ~log_capture();

    std::string text() const { return text_.str(); }
    bool holds(std::string_view words) const { return text().find(words) != std::string::npos; }

 private:
    std::ostringstream text_;
    std::shared_ptr<spdlog::logger> before_;
};

// A client whose loop turns only while the test waits for something, so that the test decides what happens
// when.
class driven_client {
 public:
    explicit driven_client(redis::options o);
    driven_client(const driven_client&) = delete;
    driven_client& operator=(const driven_client&) = delete;
    // Stops it; fails the test when run() does not return.
    ~driven_client();

    redis::client& operator*() { return client_; }
    redis::client* operator->() { return &client_; }
    asio::io_context& loop() { return loop_; }
    const log_capture& log() const { return log_; }
    bool ended() const { return ended_; }

    // Turns the loop until the condition holds; false after the limit.
    bool until(const std::function<bool()>& condition, std::chrono::seconds limit = 30s);
    bool until_connected();
    // Runs at most so many handlers, as they come.
    void step(std::size_t handlers);
    core::result<std::vector<redis::reply>> execute(redis::pipeline commands);
    // One command's only reply; fails the test where there is none.
    redis::reply ask(std::initializer_list<std::string_view> words);
    // Starts commands without waiting; the result is put into `answer`, which must live on.
    void start(redis::pipeline commands, std::optional<core::result<std::vector<redis::reply>>>& answer);

 private:
    asio::io_context loop_{1};
    log_capture log_;
    redis::client client_;
    bool ended_ = false;
};

// Loopback, with short waits so that failures show soon.
redis::options quick(std::uint16_t port);

redis::pipeline command(std::initializer_list<std::string_view> words);

}  // namespace postrider::test
