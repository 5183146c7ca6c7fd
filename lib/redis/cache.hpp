#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/backoff.hpp"
#include "net/asio.hpp"
#include "net/signal.hpp"
#include "redis/client.hpp"
#include "redis/memory_cache.hpp"

namespace postrider::redis {

struct cache_settings {
    std::size_t entries = 10'000;            // in memory
    std::size_t bytes = 100'000'000;         // in memory
    core::milliseconds watch{1'000};         // in Redis: between two looks whether it is there
    core::milliseconds step{100};            // in memory: between two looks at Redis and at what has expired
    core::milliseconds backoff_cap{10'000};  // between two attempts to go back to a Redis that refuses
};

// Values by key: in Redis while it is there, in memory while it is not, and never an error for the caller.
// The way back begins by itself: what was written meanwhile goes along with its remaining time, what was
// deleted meanwhile is deleted in Redis too, and until all of that is done the memory goes on answering, so
// that a write on the way is not overwritten by an older one. What was evicted from memory is missing
// afterwards; of what was deleted it remembers as many as it holds values.
class cache {
 public:
    enum class mode { redis, memory };

    struct counts {
        std::uint64_t hits = 0;
        std::uint64_t misses = 0;
        std::uint64_t evictions = 0;  // by the bounds of the memory; what Redis evicts it counts itself
    };
    struct statistics {
        cache::mode mode = mode::redis;
        std::size_t entries = 0;  // values in memory
        std::size_t bytes = 0;    // of them
        bool redis_available = false;
        counts redis, memory;
        std::uint64_t refused = 0;  // commands that Redis refuses for good, without effect
    };
    struct information {
        cache::mode mode = mode::redis;
        std::uint64_t entries = 0;      // keys in the Redis database, or values in memory
        std::string used_memory_human;  // of Redis; empty in memory
    };

    // The client outlives the cache; it is run by somebody else.
    cache(const asio::any_io_executor& executor, client& redis, cache_settings s = {});

    // Empty: there is none.
    asio::awaitable<std::optional<std::string>> get(std::string key);
    // For ever, or for a time of at least 1 ms.
    asio::awaitable<void> set(std::string key, std::string value);
    asio::awaitable<void> setex(std::string key, core::milliseconds time_to_live, std::string value);
    // Whether there was one.
    asio::awaitable<bool> del(std::string key);
    // Up to `limit` keys that match a pattern (glob.hpp), in no order.
    asio::awaitable<std::vector<std::string>> keys(std::string pattern, std::size_t limit);
    asio::awaitable<information> info();

    // Whether Redis is there and used.
    bool is_available() const { return mode_ == mode::redis && redis_.connected(); }
    statistics stats() const;

    // Watches over the modes; returns after close().
    asio::awaitable<void> run();
    void close();

 private:
    asio::awaitable<std::optional<reply>> ask(pipeline one);
    asio::awaitable<void> write(std::string key, std::string value, std::optional<core::milliseconds> ttl);
    asio::awaitable<std::optional<std::vector<std::string>>> scan(std::string pattern, std::size_t limit);
    asio::awaitable<bool> move_some();
    asio::awaitable<void> go_back();
    void fall_back(std::string_view why);
    void returned();
    std::optional<std::string> get_from_memory(const std::string& key);

    client& redis_;
    cache_settings settings_;
    memory_cache memory_;
    mode mode_ = mode::redis;
    counts in_redis_;
    counts in_memory_;
    std::uint64_t refused_ = 0;
    std::uint64_t moved_ = 0;  // on this way back
    core::steady::time_point fell_back_{};
    core::steady::time_point next_try_{};
    core::backoff backoff_;
    net::signal wake_;
    bool closed_ = false;
};

}  // namespace postrider::redis
