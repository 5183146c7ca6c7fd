#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "event/hearing.hpp"

namespace postrider::event {

// An event put aside until Redis takes events again.
struct parked {
    // Below every place in the table.
    static constexpr std::int64_t no_id = std::numeric_limits<std::int64_t>::min();

    std::int64_t id = no_id;  // its place in the table
    std::string channel;
    std::string payload;
    std::vector<std::pair<std::string, std::uint64_t>> numbers;  // by route
    // A marker that other processes have heard too, and the number of the route's event before it, by route:
    // they tell which of the events that they have heard is meant. And, see cancel_name(), which events it
    // cancels. Read back they stand among the numbers.
    std::vector<std::pair<std::string, std::uint64_t>> marks;

    bool is_for(std::string_view route) const;
    // 0: the event is not for it, or has no number there.
    std::uint64_t number_of(std::string_view route) const;
    // For an event that has no number of the route yet: the latest marker before it, and how many events of
    // the channel lie behind that, itself included. Empty: it has a number, or is not for the route.
    std::optional<marked_number> distance(std::string_view route) const;
    // Up to which of a delay route's events it cancels what waits; empty: nobody can say.
    std::optional<std::uint64_t> cancels_until(std::string_view route) const;
    // A stop has put it back in front of the others: what it cancels was cancelled before that.
    bool was_taken() const;
};

// What is put aside of one route: every event of it from the first to the last number that is neither
// delivered nor saved.
struct parked_range {
    std::string route;
    std::uint64_t first = 0;
    std::uint64_t last = 0;

    bool holds(std::uint64_t number) const { return first <= number && number <= last; }
};

// How a route's marker is called among the numbers, and the distance behind it of an event that has no number
// yet; no route has such a name.
std::string mark_name(std::string_view route, std::string_view marker);
std::string distance_name(std::string_view route, std::string_view marker);
// How the last event before it is called, by a route that it cancels.
std::string cancel_name(std::string_view route);
// The marker in such a name; empty: it is none, or another route's.
std::string_view marker_in(std::string_view name, std::string_view route);
std::string_view distance_marker_in(std::string_view name, std::string_view route);

// "bot_events 17 audit 4", and behind that the marks: route names hold no blanks.
std::string numbers_text(const parked& p);
void read_numbers(std::string_view text, parked& into);

// Widens the ranges, one for each route, to the numbers of the first and the last event of a stretch.
void widen(std::vector<parked_range>& ranges, const parked& first, const parked& last);
// A route's range; null: nothing of it is put aside.
const parked_range* range_of(const std::vector<parked_range>& ranges, std::string_view route);

}  // namespace postrider::event
