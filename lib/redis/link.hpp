#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <vector>

#include "core/clock.hpp"
#include "core/error.hpp"
#include "net/asio.hpp"
#include "net/signal.hpp"
#include "redis/address.hpp"
#include "redis/pipeline.hpp"
#include "redis/reply.hpp"

namespace postrider::redis {

enum class link_state { connecting, connected, waiting, stopped };

struct link_status {
    link_state state = link_state::connecting;
    core::steady::time_point since{};
    std::uint64_t reconnects = 0;    // successful connects after the first
    std::uint64_t attempts = 0;      // failed attempts since the connection was last up
    std::string last_error;          // empty: none yet
    core::milliseconds outage{0};    // length of the last outage
    core::steady::duration away{0};  // without a connection since the start, up to `since`
    std::chrono::microseconds last_ping{0};
};

// How a link is doing.
struct link_health {
    explicit link_health(const asio::any_io_executor& executor);

    void enter(link_state s);
    void pinged(std::chrono::microseconds round_trip);

    link_status now;
    std::uint64_t generation = 0;                 // counts connects
    std::deque<std::chrono::microseconds> pings;  // the last 1,024 round trips, oldest first
    net::signal changed;                          // the state is another one
    std::function<void()> connected_anew;         // called after each connect; empty: nobody asked
    bool stopping = false;
};

// The way to Redis behind a client: one server, or a cluster of them.
class link {
 public:
    explicit link(const asio::any_io_executor& executor) : health_(executor) {}
    link(const link&) = delete;
    link& operator=(const link&) = delete;
    virtual ~link() = default;

    // As the client's functions of the same names.
    virtual asio::awaitable<void> run() = 0;
    virtual asio::awaitable<core::result<std::vector<reply>>> execute(pipeline commands) = 0;
    virtual asio::awaitable<core::result<std::vector<reply>>> execute_at(address server,
                                                                         pipeline commands) = 0;
    virtual void reconnect(std::string_view why) = 0;
    virtual void stop() = 0;
    virtual bool connected() const = 0;
    virtual std::vector<address> primaries() const = 0;

    link_health& health() { return health_; }
    const link_health& health() const { return health_; }

 protected:
    link_health health_;
};

}  // namespace postrider::redis
