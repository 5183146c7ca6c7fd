#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "event/hearing.hpp"
#include "event/numbering.hpp"
#include "event/parked.hpp"

// What was put aside without numbers, because nobody had them then, gets them by the markers that it lies
// behind; and what is held is told from what is put aside: pure.
namespace postrider::event {

// Null: there is none of that name.
const marked_number* find_marker(const std::vector<marked_number>& markers, std::string_view name);

// A route's markers that are saved, and behind those the ones that only what is put aside has: Redis has the
// former leader's markers of before an outage, what is put aside has those of that time.
std::vector<marked_number> known_markers(std::vector<marked_number> saved,
                                         const std::vector<parked_range>& ranges, std::string_view route);

// Behind a marker that no leader has known the numbers begin anew, for whoever reads those events: such
// markers join the known ones, beyond `highest` and all of those. True: some events have numbers only by
// that.
bool number_distances(const std::vector<parked_range>& ranges, std::string_view route,
                      std::vector<marked_number>& known, std::uint64_t highest);

// What is put aside without numbers has some by these markers: the route's range covers it.
void widen_by_markers(std::vector<parked_range>& ranges, std::string_view route,
                      const std::vector<marked_number>& markers);

// A route's number of an event that is put aside, where it has none there by its distance; 0: nobody can say.
std::uint64_t number_of(const parked& p, std::string_view route, const std::vector<marked_number>& markers);

// Where an event that was heard belongs to what is put aside of a route. By the route's numbers and the
// markers that both have heard; `number` is its own here.
enum class side { before, there, behind };
side side_of(const std::vector<parked_range>& ranges, std::string_view route, const hearing& h,
             std::size_t channel, const numbering& numbers, std::uint64_t number);

}  // namespace postrider::event
