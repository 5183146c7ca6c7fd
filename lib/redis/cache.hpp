#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/backoff.hpp"
#include "net/asio.hpp"
#include "net/signal.hpp"
#include "redis/client.hpp"
#include "redis/held_values.hpp"
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
//
// Values that may not be evicted, or need a writer of their own (the open groups), have a holder: see
// held_values. They are found and counted here like all others.
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
        std::size_t entries = 0;  // values in memory, those held elsewhere included
        std::size_t bytes = 0;    // of them
        bool redis_available = false;
        counts redis, memory;
        std::uint64_t refused = 0;  // commands without effect: Redis, or a value's holder, refuses them
    };
    struct information {
        cache::mode mode = mode::redis;
        std::uint64_t entries = 0;      // keys in the Redis database (all of a cluster), or values in memory
        std::string used_memory_human;  // of Redis; empty in memory
    };

    // The client outlives the cache; it is run by somebody else.
    cache(const asio::any_io_executor& executor, client& redis, cache_settings s = {});

    // From now on these are found here too. Their holder alone writes them: set, setex and del of their keys
    // have no effect. Without Redis they are found where they are held, and the way back ends when all that
    // was changed before it stands in Redis. At most once, and the holder outlives run().
    void hold(held_values values);

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
    // All values whose keys match, as they stand in Redis: for whoever must not take an empty memory for the
    // truth. Failures: the connection's, or server_error with Redis' words.
    asio::awaitable<core::result<std::vector<std::pair<std::string, std::string>>>> load(std::string pattern);

    // Whether Redis is there and used.
    bool is_available() const { return mode_ == mode::redis && redis_.connected(); }
    statistics stats() const;

    // Watches over the modes; returns after close().
    asio::awaitable<void> run();
    void close();

 private:
    std::optional<reply> judge(core::result<std::vector<reply>> answered);
    bool refused_for_good(const core::failure& why);
    asio::awaitable<std::optional<reply>> ask(pipeline one);
    asio::awaitable<void> write(std::string key, std::string value, std::optional<core::milliseconds> ttl);
    asio::awaitable<std::optional<information>> ask_servers();
    asio::awaitable<bool> move_some();
    asio::awaitable<void> go_back();
    void watch();
    bool is_held_saved() const;
    void fall_back(std::string_view why);
    void returned();
    std::optional<std::string> get_from_memory(const std::string& key);
    std::vector<std::string> keys_in_memory(const std::string& pattern, std::size_t limit) const;
    std::size_t entries_in_memory() const;
    bool has_holder(const std::string& key);

    client& redis_;
    cache_settings settings_;
    memory_cache memory_;
    std::optional<held_values> held_;
    mode mode_ = mode::redis;
    counts in_redis_;
    counts in_memory_;
    std::uint64_t refused_ = 0;
    std::uint64_t moved_ = 0;  // on this way back
    core::steady::time_point fell_back_{};
    std::optional<core::steady::time_point> answers_since_;  // on this way back
    core::steady::time_point next_try_{};
    core::backoff backoff_;
    net::signal wake_;
    bool closed_ = false;
};

}  // namespace postrider::redis
