#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "core/clock.hpp"
#include "core/error.hpp"
#include "net/asio.hpp"
#include "redis/options.hpp"
#include "redis/pipeline.hpp"
#include "redis/reply.hpp"

namespace postrider::redis {

// One supervised connection: it connects, authenticates, selects the database, pings, notices a silent peer,
// and connects again for ever with jittered exponential backoff. Commands of many callers share it,
// pipelined.
class client {
 public:
    enum class state { connecting, connected, waiting, stopped };

    struct status {
        client::state state = client::state::connecting;
        core::steady::time_point since{};
        std::uint64_t reconnects = 0;  // successful connects after the first
        std::uint64_t attempts = 0;    // failed attempts since the connection was last up
        std::string last_error;        // empty: none yet
        core::milliseconds outage{0};  // length of the last outage
        std::chrono::microseconds last_ping{0};
    };

    client(const asio::any_io_executor& executor, options o);
    ~client();
    client(const client&) = delete;
    client& operator=(const client&) = delete;

    // The supervisor: returns after stop(). Logs attempt, cause and wait as WARNING, "reconnected" as INFO.
    asio::awaitable<void> run();

    // Sends the commands and returns one reply each. Without a connection it fails at once with
    // connection_lost; a connection that breaks, or a reply that does not come within command_timeout, fails
    // every command that was under way, and nobody knows then whether it was done. A command's time begins
    // when it is the oldest without a reply, so a long pipeline that moves on is no timeout. An error reply
    // is a reply.
    asio::awaitable<core::result<std::vector<reply>>> execute(pipeline commands);

    // Returns true once connected, false once stopped.
    asio::awaitable<bool> wait_connected();

    // Drops the connection and connects again (a primary turned replica, for instance).
    void reconnect(std::string_view why);

    // Ends run() and every call under way.
    void stop();

    bool connected() const;
    const status& current() const;
    const options& settings() const;
    // Counts connects, so that a caller can see that the server may be another one than before.
    std::uint64_t generation() const;
    // Round trips of the last pings, oldest first, at most 1,024.
    const std::deque<std::chrono::microseconds>& recent_pings() const;

 private:
    struct implementation;
    std::unique_ptr<implementation> impl_;
};

}  // namespace postrider::redis
