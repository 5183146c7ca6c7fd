#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/clock.hpp"
#include "event/grouper.hpp"
#include "redis/pipeline.hpp"
#include "redis/reply.hpp"

namespace postrider::redis {

// Where the open groups are found.
struct open_groups {
    using visitor = std::function<void(std::size_t route, const event::context_update&)>;
    // Shows up to `limit` groups that changed since they were last shown; returns how many.
    std::function<std::size_t(std::size_t limit, const visitor& visit)> changed;
    std::function<bool()> any_changed;
    // What was shown did not arrive.
    std::function<void(std::size_t route, std::string_view key)> not_saved;
};

// Keeps in Redis what a killed process would take with it: open groups, delayed events, how far a route has
// caught up. It makes commands and reads their replies, and does no I/O. Writes are coalesced: what changes
// several times between two flushes is written once.
class saver {
 public:
    saver(open_groups groups, std::vector<std::string> route_names, core::milliseconds context_ttl);

    // A value that is written with the next flush; ttl 0: kept for ever. The last one under a name counts.
    void save(std::string name, std::string value, core::milliseconds ttl);
    // Its event has left or is cancelled: it is no longer written. `erase`: what stands in Redis is deleted.
    void drop(const std::string& name, bool erase);
    // Remembers an id that leaves without a push (skipped, cancelled).
    void note_seen(std::string set, std::int64_t milliseconds, std::string id);
    // Forgets the ids in a set that are older.
    void trim_seen(std::string set, std::int64_t before_milliseconds);

    bool has_work() const;

    // Appends the commands of one flush, at most a bounded part of the work.
    void encode(pipeline& p, std::string_view script_sha, core::steady::time_point now,
                core::wall::time_point wall_now);
    // Their replies, as many as encode() has added. Returns the first error reply's text; empty: all is
    // saved.
    std::string replied(std::span<const reply> replies);
    // They got no reply: everything of the flush is written again.
    void failed();

    // Every change made before this time stands in Redis.
    core::steady::time_point saved_until(core::steady::time_point now) const;

 private:
    struct value {
        std::string text;
        core::milliseconds ttl{0};
    };
    using seen_sets = std::map<std::string, std::vector<std::pair<std::int64_t, std::string>>>;

    void encode_contexts(pipeline& p, std::string_view script_sha, core::steady::time_point now,
                         core::wall::time_point wall_now);
    void encode_values(pipeline& p);
    void encode_seen(pipeline& p);

    open_groups groups_;
    std::vector<std::string> route_names_;
    std::string context_ttl_;

    std::map<std::string, value> values_;
    std::vector<std::string> erased_;
    seen_sets seen_;
    std::map<std::string, std::int64_t> trims_;

    // The flush under way.
    struct flush {
        std::vector<std::pair<std::size_t, std::string>> contexts;  // route and key
        bool has_contexts = false;
        std::map<std::string, value> values;
        std::vector<std::string> erased;
        seen_sets seen;
        std::map<std::string, std::int64_t> trims;
        std::size_t commands = 0;
        bool everything = false;
        core::steady::time_point at{};
    };
    flush flush_;
    core::steady::time_point saved_until_{};
};

}  // namespace postrider::redis
