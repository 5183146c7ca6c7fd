#pragma once

#include <functional>
#include <optional>
#include <string>

#include "core/clock.hpp"
#include "core/error.hpp"
#include "net/signal.hpp"
#include "net/task_group.hpp"
#include "redis/options.hpp"
#include "redis/pending.hpp"
#include "redis/pipeline.hpp"
#include "redis/reader.hpp"
#include "redis/transport.hpp"

namespace postrider::redis {

// One connection from its connect to its end: a writer, a reader, a watchdog over late replies and a pinger.
class session {
 public:
    // What the owner is told; called on the session's own thread, not from within submit() or close().
    struct events {
        std::function<void()> ready;                            // the server has welcomed us
        std::function<void(std::chrono::microseconds)> pinged;  // a ping's round trip
    };

    session(const asio::any_io_executor& executor, const options& o, events e);

    // Connects, greets and serves until the connection ends or close() is called; returns why it ended. By
    // then every call has ended too and nothing of the session runs any more.
    asio::awaitable<core::failure> run();

    bool ready() const { return ready_; }

    // Sends the commands of `c`, which must not be none; only while ready().
    void submit(call& c, pipeline commands);

    // Ends run(); the first reason given counts.
    void close(core::failure why);

 private:
    asio::awaitable<bool> greet();
    asio::awaitable<void> write();
    asio::awaitable<void> read();
    asio::awaitable<void> watch();
    asio::awaitable<void> ping();
    void received(std::string_view bytes);
    void explain_refusal(core::failure& why) const;

    const asio::any_io_executor executor_;
    const options& options_;
    events events_;
    transport transport_;
    reader reader_;
    pending pending_;
    std::string outgoing_;  // waits for the writer
    net::signal outgoing_came_;
    net::signal watch_again_;
    net::signal ping_again_;
    std::optional<core::failure> ended_;
    std::optional<reply> first_error_;  // the server's, before we were welcome
    bool ready_ = false;
    core::steady::time_point connect_limit_{};
    net::task_group tasks_;
};

}  // namespace postrider::redis
