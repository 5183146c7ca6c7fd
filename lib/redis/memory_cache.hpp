#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/clock.hpp"

namespace postrider::redis {

// What the cache holds while Redis is away: pure, fed with `now`, which never goes back. Bounded by entries
// and bytes; the one used least recently goes first. It knows what changed, so that Redis can be told when it
// is back: a value with its remaining time, or that there is none any more (deleted, expired or evicted),
// since Redis may still hold an older one.
//
// Every change has a number from next(); a change older than the one an entry has already seen has no effect.
class memory_cache {
 public:
    using time = core::steady::time_point;

    struct change {
        std::string key;
        std::uint64_t number = 0;
        std::optional<std::string> value;                // empty: deleted
        std::optional<core::milliseconds> time_to_live;  // of a value; empty: for ever
    };

    memory_cache(std::size_t most, std::size_t most_bytes) : most_(most), most_bytes_(most_bytes) {}

    std::uint64_t next() { return ++last_number_; }

    // A value too large for the bounds is as good as evicted.
    void set(const std::string& key, std::string value, std::optional<time> expires, std::uint64_t number,
             time now);
    // Whether there was one.
    bool erase(const std::string& key, std::uint64_t number, time now);
    std::optional<std::string> get(const std::string& key, time now);
    // Up to `limit` keys that the pattern matches (glob.hpp), in no order.
    std::vector<std::string> keys(std::string_view pattern, std::size_t limit, time now) const;

    // Frees up to `limit` entries whose time is over; returns how many.
    std::size_t sweep(time now, std::size_t limit);

    // The oldest changes, at most `limit` and about `bytes` of them, but at least one.
    std::vector<change> changes(std::size_t limit, std::size_t bytes, time now);
    // Redis has this change; nothing to do where a newer one came.
    void settled(const std::string& key, std::uint64_t number);
    bool has_changes() const { return !changed_.empty(); }

    void clear();

    std::size_t entries() const { return used_.size(); }  // values
    std::size_t deleted() const { return gone_.size(); }  // known to be none
    std::size_t bytes() const { return bytes_; }          // of keys and values, with what holds them
    std::uint64_t evictions() const { return evictions_; }

 private:
    struct entry {
        const std::string* key = nullptr;
        std::optional<std::string> value;
        std::optional<time> expires;
        std::uint64_t number = 0;
        bool changed = false;
        std::list<entry*>::iterator place;  // in used_ where there is a value, else in gone_
    };

    entry& entry_of(const std::string& key);
    std::size_t size_of(const entry& e) const;
    void renew(entry& e, std::uint64_t number);
    void empty(entry& e);
    void remove(entry& e);
    void evict();
    void evict_one();
    bool is_over(const entry& e, time now) const { return e.expires && *e.expires <= now; }

    std::size_t most_;
    std::size_t most_bytes_;
    std::unordered_map<std::string, entry> all_;
    std::list<entry*> used_;  // the latest in front
    std::list<entry*> gone_;  // likewise
    std::set<std::pair<time, entry*>> expiring_;
    std::map<std::uint64_t, entry*> changed_;
    std::size_t bytes_ = 0;
    std::uint64_t last_number_ = 0;
    std::uint64_t evictions_ = 0;
};

}  // namespace postrider::redis
