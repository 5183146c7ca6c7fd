#pragma once

#include <cstdint>
#include <functional>
#include <future>
#include <optional>
#include <string>
#include <thread>

#include "http/server.hpp"
#include "net/asio.hpp"
#include "net/signal.hpp"

namespace postrider::test {

// Settings whose times never end a test by chance; each test shortens the one it is about.
http::settings patient();

// A server on a loop and a thread of its own. Its endpoints:
//   /echo   {"method","path","query","body"} in one line of text
//   /gate   answers when open_gate() is called, or never
//   /big    16 MiB
//   /throw  fails
//   /stream  1, 2, 3 …, one a line and millisecond, behind as many blanks as the first query said
// Others are 404.
class running_server {
 public:
    explicit running_server(http::settings s = patient());
    ~running_server();
    running_server(const running_server&) = delete;
    running_server& operator=(const running_server&) = delete;

    std::uint16_t port() const { return port_; }

    // Does something on the loop and waits for it.
    void on_loop(const std::function<void()>& action);
    std::size_t connections();
    std::size_t streams();
    std::size_t at_gate();
    void open_gate();

    // Tells the server to stop; returns at once.
    void stop();
    // Returns when run() has returned.
    void join();

 private:
    asio::awaitable<http::response> answer(http::request asked);

    asio::io_context context_;
    asio::executor_work_guard<asio::io_context::executor_type> work_;
    net::signal gate_;
    bool open_ = false;
    std::size_t at_gate_ = 0;
    std::shared_ptr<http::feed> feed_;
    http::server server_;
    std::uint16_t port_ = 0;
    std::promise<void> ended_;
    std::thread thread_;
};

}  // namespace postrider::test
