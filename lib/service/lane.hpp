#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "core/clock.hpp"
#include "core/histogram.hpp"
#include "event/dead_letter.hpp"
#include "event/delays.hpp"
#include "event/grouper.hpp"
#include "event/numbering.hpp"
#include "event/parked.hpp"
#include "event/payload.hpp"
#include "event/route.hpp"
#include "event/seen_ids.hpp"
#include "event/taken_over.hpp"
#include "redis/names.hpp"
#include "redis/place.hpp"
#include "redis/saved_state.hpp"

namespace postrider::service {

// One route at work: its open groups or waiting events, what it has seen, its counts since start.
struct lane {
    struct counts {
        std::uint64_t events = 0;
        std::uint64_t pushed = 0;
        std::uint64_t messages = 0;
        std::uint64_t duplicates = 0;
        std::uint64_t skipped = 0;
        std::uint64_t cancelled = 0;
        std::uint64_t failed = 0;
        std::map<event::rejection, std::uint64_t> rejected;
        core::histogram group_events{{1, 2, 3, 5, 10, 20, 50, 100, 200, 500, 1'000}};
        // In seconds: a group's first event to its departure, and an arrival to Redis' acknowledgement.
        core::histogram group_age{{.1, .5, 1, 2, 5, 10, 15, 20, 30, 60, 120, 300}};
        core::histogram latency{
            {.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 15, 20, 30, 60, 300}};
        // The same without the window's own wait.
        core::histogram push_latency{
            {.00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 60, 300}};
    };

    lane(event::route r, redis::target_keys k, std::size_t target_line, std::size_t on_channel)
        : route(std::move(r)),
          keys(std::move(k)),
          line(target_line),
          channel(on_channel),
          groups(route.grouping) {
        if (!route.catch_up.empty()) seen.emplace();
    }
    lane(const lane&) = delete;
    lane& operator=(const lane&) = delete;

    event::route route;
    redis::target_keys keys;  // of its target
    std::size_t line;         // to it
    std::size_t channel;      // among those heard
    event::grouper groups;
    event::delays waiting;
    std::optional<event::seen_ids> seen;  // where the route catches up
    core::wall::time_point floor{};       // catching up never reaches back before the first start
    // Where a catch-up starts that has not run yet: it outlives a failure and a session, because live events
    // may be ahead of it. Empty: it has run.
    std::optional<core::wall::time_point> catch_up_start;
    std::optional<core::wall::time_point> marked;   // how far the route was at the last mark
    std::optional<core::wall::time_point> written;  // what Redis has of that

    // The route's numbers go on where the process before has ended.
    event::numbering numbers;
    std::vector<event::marked_number> markers;  // by number, for whoever takes over
    std::uint64_t taken = 0;                    // the last event that was not held back
    std::uint64_t marked_taken = 0;             // at the last mark
    std::uint64_t saved_taken = 0;              // what Redis has of that
    std::optional<event::taken_over> known;     // what an earlier process has done, while it may come again
    counts count;

    // Forgets what is open; the counts go on.
    void forget() {
        std::vector<event::group> open_groups;
        groups.take_all(open_groups);
        std::vector<event::delayed> delayed;
        waiting.take_all(delayed);
        if (seen) seen.emplace();
        catch_up_start.reset();
        marked.reset();
        written.reset();
        known.reset();
    }

    // What an earlier process has done, by what stands in Redis.
    void adopt(const redis::saved_place& saved);
    // An earlier process has taken it. Where the numbers come in order it is asked no more once one lies
    // behind all that it is known to have used.
    bool knows(std::uint64_t number, const std::string& key, bool in_order);
    // Where the route is, for whoever takes over.
    redis::place place() const;
    // The latest marker joins what tells a parked event apart.
    void add_mark(event::parked& p) const;
    // For something of this route that cannot be delivered now.
    event::dead_letter letter() const;

    // The sooner of the next group's and the next delayed event's time; empty: nothing waits.
    std::optional<event::steady_time> next_deadline() const {
        return route.policy == event::policy::delay ? waiting.next_deadline() : groups.next_deadline();
    }
    std::uint64_t open() const {
        return route.policy == event::policy::delay ? waiting.size() : groups.open_groups();
    }
};

}  // namespace postrider::service
