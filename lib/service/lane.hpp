#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "core/clock.hpp"
#include "event/delays.hpp"
#include "event/grouper.hpp"
#include "event/payload.hpp"
#include "event/route.hpp"
#include "event/seen_ids.hpp"

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
    };

    lane(event::route r, std::size_t target_line)
        : route(std::move(r)), line(target_line), groups(route.grouping) {
        if (!route.catch_up.empty()) seen.emplace();
    }
    lane(const lane&) = delete;
    lane& operator=(const lane&) = delete;

    event::route route;
    std::size_t line;  // to its target
    event::grouper groups;
    event::delays waiting;
    std::optional<event::seen_ids> seen;  // where the route catches up
    core::wall::time_point floor{};       // catching up never reaches back before the first start
    bool catching_up = false;             // live events may be ahead of a catch-up that has not run yet
    std::optional<core::wall::time_point> marked;   // how far the route was at the last mark
    std::optional<core::wall::time_point> written;  // what Redis has of that
    counts count;

    // The sooner of the next group's and the next delayed event's time; empty: nothing waits.
    std::optional<event::steady_time> next_deadline() const {
        return route.policy == event::policy::delay ? waiting.next_deadline() : groups.next_deadline();
    }
    std::uint64_t open() const {
        return route.policy == event::policy::delay ? waiting.size() : groups.open_groups();
    }
};

}  // namespace postrider::service
