#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/clock.hpp"
#include "core/error.hpp"
#include "net/asio.hpp"

namespace postrider::http {

// What the endpoints show. The service fills it; this folder knows neither Postgres nor Redis.
struct component {
    bool up = false;
    std::optional<double> latency_ms;  // of the last answer
    core::wall::time_point since{};    // when `up` last changed
    std::string detail;                // why it is down; empty: nothing to say
};

enum class overall { up, degraded, down };

struct health {
    http::overall overall = http::overall::down;
    component database;
    component redis;
    component listener;
    bool stopping = false;
    std::string role = "leader";
};

struct redis_stats {
    double ping_ms = 0;
    double p50_ms = 0, p95_ms = 0, p99_ms = 0, max_ms = 0;
    std::int64_t connected_clients = 0;
    std::string used_memory_human;
    std::int64_t total_commands_processed = 0;
    std::int64_t keyspace_hits = 0, keyspace_misses = 0;
    std::vector<std::pair<std::string, std::int64_t>> queues;  // name and length of each list target
    std::string breaker = "closed";
    std::uint64_t reconnects = 0;
    std::uint64_t retries = 0;
};

struct route_stats {
    std::string name;
    std::string policy;
    std::uint64_t events = 0;      // read from the source
    std::uint64_t pushed = 0;      // delivered to the target
    std::uint64_t messages = 0;    // events inside what was delivered
    std::uint64_t duplicates = 0;  // dropped because seen before
    std::uint64_t skipped = 0;     // by probability, or no bot among the participants
    std::uint64_t cancelled = 0;
    std::uint64_t open = 0;                                       // groups open or delays waiting
    std::vector<std::pair<std::string, std::uint64_t>> rejected;  // by reason
    std::uint64_t failed = 0;                                     // refused by Redis for good
};

struct stats {
    std::vector<route_stats> routes;
    std::uint64_t waiting = 0;  // deliveries on their way to Redis
    std::uint64_t waiting_bytes = 0;
    double events_per_second = 0;  // over the last 10 s
    double deliveries_per_second = 0;
    std::uint64_t database_reconnects = 0;
    std::string last_error;
    std::optional<core::wall::time_point> last_error_at;
};

struct view {
    std::function<http::health()> health;
    std::function<http::stats()> stats;
    std::function<asio::awaitable<core::result<http::redis_stats>>()> redis_stats;
    // Round trip of one PING, in milliseconds.
    std::function<asio::awaitable<core::result<double>>()> redis_ping;
    core::steady::time_point started{};
    std::string version;
};

}  // namespace postrider::http
