#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "redis/client.hpp"
#include "support/log_capture.hpp"
#include "support/loop.hpp"

namespace postrider::test {

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
    asio::io_context& loop() { return loop_.context(); }
    const log_capture& log() const { return log_; }
    bool ended() const { return ended_; }

    bool until(const std::function<bool()>& condition, std::chrono::seconds limit = 30s) {
        return loop_.until(condition, limit);
    }
    bool until_connected();
    void step(std::size_t handlers) { loop_.step(handlers); }
    core::result<std::vector<redis::reply>> execute(redis::pipeline commands);
    // One command's only reply; fails the test where there is none.
    redis::reply ask(std::initializer_list<std::string_view> words);
    // Starts commands without waiting; the result is put into `answer`, which must live on.
    void start(redis::pipeline commands, std::optional<core::result<std::vector<redis::reply>>>& answer);

 private:
    test::loop loop_;
    log_capture log_;
    redis::client client_;
    bool ended_ = false;
};

// Loopback, with short waits so that failures show soon.
redis::options quick(std::uint16_t port);
// The same for a URL, which must be right.
redis::options quick(const std::string& url, core::milliseconds ping_interval);

redis::pipeline command(std::initializer_list<std::string_view> words);

}  // namespace postrider::test
