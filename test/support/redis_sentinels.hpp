#pragma once

#include <cstdint>
#include <deque>
#include <string>

#include "support/redis_sentinel.hpp"
#include "support/redis_server.hpp"

namespace postrider::support {

// A primary with two replicas and three sentinels, two of which must agree on a failover. Failures throw
// std::runtime_error.
class redis_sentinels {
 public:
    struct settings {
        std::string server_password = {};
        std::string sentinel_password = {};
    };

    // Returns when both replicas follow the primary and every sentinel knows them and the other sentinels.
    redis_sentinels() : redis_sentinels(settings{}) {}
    explicit redis_sentinels(settings wanted);

    // redis+sentinel://127.0.0.1:a,127.0.0.1:b,127.0.0.1:c/mymaster/0, with the passwords.
    std::string url() const;

    redis_sentinel& sentinel(std::size_t n) { return sentinels_[n]; }
    redis_server& server(std::size_t n) { return servers_[n]; }
    // The server that a sentinel names now.
    redis_server& primary();
    // The server with this port.
    redis_server& at(std::uint16_t port);
    // Asks for a failover although nothing is broken; returns when all sentinels name another primary.
    void fail_over();
    // Waits until the sentinels name another primary than this one, and returns it.
    redis_server& primary_after(const redis_server& old);

 private:
    void await_replicas();
    void await_sentinels();

    settings settings_;
    std::deque<redis_server> servers_;
    std::deque<redis_sentinel> sentinels_;
};

}  // namespace postrider::support
