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

// Of the pushes to Redis.
struct breaker {
    std::string state = "closed";                 // or "open" or "half_open"
    std::optional<core::wall::time_point> since;  // none: closed from the beginning
    std::string reason;                           // empty: closed
};

// What Postrider keeps beside a target so that nothing is pushed twice.
struct ledger {
    std::string target;
    std::int64_t keys = 0;
    std::int64_t entries = 0;  // in those keys
};

struct redis_stats {
    std::string mode = "single";  // or "sentinel" or "cluster"
    std::string server;           // the primary it speaks to, host:port; of a cluster all, with commas
    double ping_ms = 0;
    double p50_ms = 0, p95_ms = 0, p99_ms = 0, max_ms = 0;
    std::int64_t connected_clients = 0;
    std::string used_memory_human;
    std::int64_t total_commands_processed = 0;
    std::int64_t keyspace_hits = 0, keyspace_misses = 0;
    std::vector<std::pair<std::string, std::int64_t>> queues;  // name and length of each list target
    std::vector<ledger> ledgers;
    http::breaker breaker;
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

struct letter_stats {
    std::string store = "memory";  // or "postgres"
    std::uint64_t taken = 0;       // since start: each event and push that could not be delivered
    std::uint64_t stored = 0;      // of them, written to Postgres
    std::uint64_t in_memory = 0;   // letters that only this process knows
    std::uint64_t dropped = 0;     // beyond the bounds of its memory
    std::vector<std::pair<std::string, std::uint64_t>> by_reason;  // of those taken
};

struct stats {
    std::vector<route_stats> routes;
    letter_stats letters;
    std::uint64_t waiting = 0;  // deliveries on their way to Redis
    std::uint64_t waiting_bytes = 0;
    bool parking = false;          // events are put aside in Postgres, or on their way back
    std::uint64_t parked = 0;      // put aside by this process, and not back yet
    double events_per_second = 0;  // over the last 10 s
    double deliveries_per_second = 0;
    std::uint64_t database_reconnects = 0;
    std::string last_error;
    std::optional<core::wall::time_point> last_error_at;
};

struct open_group {
    std::string route, key;        // the key's first bytes, where it is long
    std::uint64_t messages = 1;    // inside; 1 for a delayed event
    core::milliseconds due_in{0};  // until it leaves; below 0: it is late
};

// What the dashboard shows beside health and stats.
struct live {
    http::breaker breaker;
    std::vector<open_group> next_due;  // the soonest first, at most 50
    // Of the groups that left since start: the largest size of each class (none: larger than all), how many.
    std::vector<std::pair<std::optional<double>, std::uint64_t>> group_sizes;
    double redis_seconds = 0;             // spent in answered round trips of pushes and saves since start
    std::uint64_t redis_round_trips = 0;  // their number
};

// What could not be delivered.
struct letter {
    std::string id;    // a number; in memory behind an 'm', since it means nothing to Postgres
    std::string kind;  // "event" or "push"
    std::string route, channel, key, reason, error;
    std::string target_kind, target;  // of a push; empty for an event
    std::string payload;
    std::uint64_t attempts = 0;
    core::wall::time_point first{}, last{};
};

struct letter_query {
    std::string route, reason;  // empty: any
    std::optional<core::milliseconds> older_than, newer_than;
    std::vector<std::string> ids;  // empty: any
    std::string after;             // an id: the page begins behind it
    std::size_t limit = 100;
};

struct letter_page {
    std::string store;  // "postgres" or "memory"
    std::vector<letter> letters;
    bool more = false;
};

// What became of one letter.
enum class letter_outcome {
    done,
    unknown,  // there is none under this id
    busy,     // somebody else replays
    refused,  // the words say why it stays
    away,     // a server does not answer
};
struct letter_answer {
    letter_outcome outcome = letter_outcome::done;
    std::string words;
};

struct cache_stats {
    std::string mode;           // "redis" or "memory"
    std::uint64_t entries = 0;  // keys in the Redis database, or values in memory, open groups included
    bool redis_available = false;
    std::uint64_t hits = 0, misses = 0;  // in both modes together
    std::uint64_t evictions = 0;         // from memory
    std::uint64_t redis_hits = 0, redis_misses = 0;
    std::uint64_t memory_hits = 0, memory_misses = 0, memory_bytes = 0;
};

struct view {
    std::function<http::health()> health;
    std::function<http::stats()> stats;
    std::function<http::live()> live;
    // In the Prometheus text format, from held state alone.
    std::function<std::string()> metrics;
    std::function<asio::awaitable<core::result<http::redis_stats>>()> redis_stats;
    // Round trip of one PING, in milliseconds.
    std::function<asio::awaitable<core::result<double>>()> redis_ping;
    std::function<asio::awaitable<core::result<http::cache_stats>>()> cache_stats;
    // For those who know the token; it is empty where there are none, and then these are not called.
    std::string admin_token;
    std::function<asio::awaitable<core::result<letter_page>>(letter_query)> letters;
    std::function<asio::awaitable<letter_answer>(std::string id)> replay_letter;
    std::function<asio::awaitable<letter_answer>(std::string id)> drop_letter;
    core::steady::time_point started{};
    std::string version;
};

}  // namespace postrider::http
