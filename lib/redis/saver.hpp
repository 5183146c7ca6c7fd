#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/clock.hpp"
#include "event/grouper.hpp"
#include "redis/names.hpp"
#include "redis/pipeline.hpp"
#include "redis/place.hpp"
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
    // Every change before this time was shown; empty: all were.
    std::function<std::optional<core::steady::time_point>()> unsaved_since;
};

// Keeps in Redis, beside one target, what a killed process would take with it: open groups, delayed events,
// how far its routes are. It makes commands and reads their replies, and does no I/O. Writes are coalesced:
// what changes several times between two flushes is written once.
class saver {
 public:
    saver(open_groups groups, std::vector<std::string> route_names, core::milliseconds context_ttl,
          target_keys keys);

    // A value that is written with the next flush; ttl 0: kept for ever. The last one under a name counts.
    void save(std::string name, std::string value, core::milliseconds ttl);
    // Its event has left or is cancelled: it is no longer written. `erase`: what stands in Redis is deleted.
    void drop(const std::string& name, bool erase);
    // Remembers an id that leaves without a push (skipped, cancelled).
    void note_seen(std::string set, std::int64_t milliseconds, std::string id);
    // Forgets the ids in a set that are older.
    void trim_seen(std::string set, std::int64_t before_milliseconds);
    // Where a route stands: its markers, and, where `number` is given, up to which event all is delivered
    // or saved. It is written in front of everything else, so that later numbers can be read.
    void note_place(const place& p, std::optional<std::uint64_t> number);
    // Forgets everything that waits: another process has taken over.
    void clear();

    bool has_work() const;
    // What is on its way included, of which nobody knows yet whether Redis has it.
    bool has_unsaved() const { return flush_.under_way || has_work(); }

    // Appends the command of one flush, at most a bounded part of the work.
    void encode(pipeline& p, std::string_view script_sha, std::uint64_t epoch, core::steady::time_point now,
                core::wall::time_point wall_now);
    // Its reply. Returns an error reply's text; empty: all is saved.
    std::string replied(const reply& r);
    // It got no reply: everything of the flush is written again.
    void failed();

    // Every change made before this time stands in Redis.
    core::steady::time_point saved_until(core::steady::time_point now) const;

 private:
    struct value {
        std::string text;
        core::milliseconds ttl{0};
    };
    struct noted_place {
        std::string marker;
        std::uint64_t base = 0;
        std::string markers;
        std::optional<std::uint64_t> number;
    };
    using values = std::map<std::string, value>;
    using seen_sets = std::map<std::string, std::vector<std::pair<std::int64_t, std::string>>>;
    using trims = std::map<std::string, std::int64_t>;
    using places = std::map<std::string, noted_place>;  // by route

    // What waits for a flush, or is part of the one under way.
    struct work {
        saver::places places;
        saver::values values;
        std::vector<std::string> erased;
        seen_sets seen;
        saver::trims trims;

        bool empty() const;
    };

    struct call;
    work take_part();
    void encode_places(call& c) const;
    void encode_contexts(call& c, core::steady::time_point now, core::wall::time_point wall_now);
    void encode_rest(call& c) const;

    open_groups groups_;
    std::vector<std::string> route_names_;
    std::string context_ttl_;
    target_keys keys_;
    work waiting_;

    // The flush under way.
    struct flush {
        work taken;
        std::vector<std::pair<std::size_t, std::string>> contexts;  // route and key
        std::size_t first_context = 0;                              // its position among the script's keys
        bool under_way = false;
        // What was changed before this time stands in Redis once it is answered; empty: nobody knows.
        std::optional<core::steady::time_point> until;
    };
    flush flush_;
    core::steady::time_point saved_until_{};
};

}  // namespace postrider::redis
