#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "core/clock.hpp"
#include "core/error.hpp"
#include "net/asio.hpp"
#include "redis/address.hpp"
#include "redis/link.hpp"
#include "redis/options.hpp"
#include "redis/pipeline.hpp"
#include "redis/reply.hpp"

namespace postrider::redis {

// The supervised way to Redis: it connects, authenticates, selects the database, pings, notices a silent
// peer, and connects again for ever with jittered exponential backoff; it asks sentinels for the primary and
// follows a cluster's slots, where the options say so. Commands of many callers share it, pipelined.
class client {
 public:
    using state = link_state;
    using status = link_status;

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
    //
    // In a cluster each command goes to the primary of its keys, which must share a slot (destination.hpp),
    // and follows MOVED and ASK. Commands to the same slot stay in order. Those whose node is away, or went
    // away under way, get an error reply that begins with CLUSTERDOWN, and the others go on.
    asio::awaitable<core::result<std::vector<reply>>> execute(pipeline commands);

    // The same at one of primaries(), wherever the keys belong: for what each server must be asked (SCAN).
    asio::awaitable<core::result<std::vector<reply>>> execute_at(address server, pipeline commands);

    // The servers it speaks to: one, or in a cluster each primary, also one that is away; none while it is
    // not connected. Behind a Unix socket the address means nothing.
    std::vector<address> primaries() const;

    // Returns true once connected, false once stopped.
    asio::awaitable<bool> wait_connected();

    // Drops the connection and connects again (a primary turned replica, for instance); in a cluster it looks
    // for the slots' primaries again.
    void reconnect(std::string_view why);

    // Ends run() and every call under way.
    void stop();

    // In a cluster: when the slots' places are known and at least one primary is connected.
    bool connected() const;
    const status& current() const;
    const options& settings() const;
    // Counts connects, so that a caller can see that the server may be another one than before.
    std::uint64_t generation() const;
    // Calls `then` after each connect, in a cluster of any node; empty: no more. One at a time.
    void on_connect(std::function<void()> then);
    // Round trips of the last pings, oldest first, at most 1,024.
    const std::deque<std::chrono::microseconds>& recent_pings() const;

 private:
    options settings_;
    std::unique_ptr<link> link_;
};

}  // namespace postrider::redis
