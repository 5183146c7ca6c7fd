#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <unordered_set>
#include <vector>

#include "core/error.hpp"
#include "http/connection.hpp"
#include "http/message.hpp"
#include "http/settings.hpp"
#include "net/asio.hpp"
#include "net/signal.hpp"
#include "net/task_group.hpp"

namespace postrider::http {

// HTTP/1.1 on a single-threaded executor. Every client is bounded in bytes, time and number (settings), so
// that none can hold up what else runs on the loop. Who comes is always let in, so that slow clients keep no
// probe out: beyond the bound the one that has made Postrider wait for longest is closed.
class server {
 public:
    server(const asio::any_io_executor& executor, settings s, handler h);
    server(const server&) = delete;
    server& operator=(const server&) = delete;

    // Binds and listens now, so that a start can fail at once; the result is the port. An error says in words
    // what is wrong with address or port and how to mend it.
    core::result<std::uint16_t> listen();

    // Accepts until stop(); returns when every connection has ended, at most settings::stop_time after stop()
    // plus the time that a cancelled handler takes. To be called once, after listen().
    asio::awaitable<void> run();

    // Accepts no more, closes idle connections, and leaves running answers settings::stop_time to finish.
    void stop();

    std::size_t connections() const { return open_.size(); }
    std::size_t streams() const { return shared_.streams; }  // of the connections

 private:
    asio::awaitable<void> accept();
    asio::awaitable<void> recover(error_code error);
    asio::awaitable<void> attend(std::shared_ptr<connection> client);
    asio::awaitable<void> watch(std::shared_ptr<connection> client);
    // A copy, because a connection that ends leaves the set.
    std::vector<std::shared_ptr<connection>> everybody() const;
    void admit(asio::ip::tcp::socket socket);
    void make_room();

    shared_parts shared_;
    asio::ip::tcp::acceptor acceptor_;
    asio::steady_timer pause_;
    net::task_group tasks_;
    net::signal ended_;
    std::unordered_set<std::shared_ptr<connection>> open_;
    core::steady::time_point last_accept_error_;
    core::steady::time_point last_full_;  // that somebody had to make room
    bool stopping_ = false;
};

}  // namespace postrider::http
