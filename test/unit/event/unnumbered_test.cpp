#include "event/unnumbered.hpp"

#include <doctest/doctest.h>

#include <utility>

using namespace postrider::event;

namespace {

using markers = std::vector<marked_number>;
using ranges = std::vector<parked_range>;

// Has heard so many events on its only channel, behind a marker.
hearing having_heard(std::string_view marker, int events) {
    hearing h(1);
    h.gap();
    h.mark(marker);
    for (int i = 0; i < events; ++i)
        h.count(0);
    return h;
}

}  // namespace

TEST_CASE("what is put aside adds the markers that are not saved, of its route alone") {
    const ranges there{{"a", 10, 20},
                       {mark_name("a", "old"), 7, 9},
                       {mark_name("a", "new"), 12, 15},
                       {mark_name("ab", "other"), 1, 2},
                       {distance_name("a", "far"), 3, 4}};
    CHECK(known_markers({{"old", 5}}, there, "a") == markers{{"old", 5}, {"new", 15}});
    CHECK(known_markers({}, {}, "a").empty());
}

TEST_CASE("behind a marker that no leader has known the numbers begin anew, beyond all that are used") {
    const ranges there{{distance_name("a", "m1"), 1, 40}, {distance_name("a", "m2"), 1, 3}};
    markers known;
    CHECK(number_distances(there, "a", known, 100));
    CHECK(known == markers{{"m1", 100 + hearing::gap_width}, {"m2", 140 + 2 * hearing::gap_width}});
    known = {{"saved", 700}};
    CHECK(number_distances(there, "a", known, 100));
    CHECK(known[1].number == 700 + hearing::gap_width);
}

TEST_CASE("behind a marker that a leader has known the numbers go on there") {
    const ranges there{{distance_name("a", "m1"), 1, 40}, {distance_name("a", "m2"), 1, 3}};
    markers known{{"m1", 150}};
    CHECK(number_distances(there, "a", known, 100));
    CHECK(known == markers{{"m1", 150}, {"m2", 190 + hearing::gap_width}});
}

TEST_CASE("where all that is put aside has numbers no marker joins") {
    markers known{{"m1", 150}};
    CHECK_FALSE(number_distances({{"a", 1, 9}, {distance_name("b", "m2"), 1, 3}}, "a", known, 100));
    CHECK(known == markers{{"m1", 150}});
}

TEST_CASE("a route's range covers what has got its numbers by a marker") {
    ranges there{{"a", 10, 20}, {distance_name("a", "m1"), 2, 5}, {distance_name("a", "m2"), 1, 9}};
    widen_by_markers(there, "a", {{"m1", 100}});
    CHECK(range_of(there, "a")->first == 10);
    CHECK(range_of(there, "a")->last == 105);
    there = {{distance_name("a", "m1"), 2, 5}};
    widen_by_markers(there, "a", {{"m1", 100}});
    REQUIRE(range_of(there, "a") != nullptr);
    CHECK(range_of(there, "a")->first == 102);
    CHECK(range_of(there, "a")->last == 105);
}

TEST_CASE("an event has its own number, else the one that its distance behind a known marker gives") {
    parked p;
    p.numbers = {{"a", 0}, {distance_name("a", "m1"), 5}, {"b", 7}};
    CHECK(number_of(p, "a", {{"m1", 100}}) == 105);
    CHECK(number_of(p, "a", {{"m2", 100}}) == 0);
    CHECK(number_of(p, "b", {{"m1", 100}}) == 7);
    CHECK(number_of(p, "c", {{"m1", 100}}) == 0);
}

TEST_CASE("what is held is told from what is put aside by the numbers of its route") {
    const auto h = having_heard("m1", 30);
    const numbering numbers(h, 0, {{"m1", 100}}, 100);
    const auto first = *h.before(0, "m1");
    const auto side_of_nth = [&](const ranges& there, std::uint64_t n) {
        return side_of(there, "a", h, 0, numbers, first + n);
    };
    const ranges there{{"a", 110, 120}, {"b", 1, 1'000}};
    CHECK(side_of_nth(there, 9) == side::before);
    CHECK(side_of_nth(there, 10) == side::there);
    CHECK(side_of_nth(there, 20) == side::there);
    CHECK(side_of_nth(there, 21) == side::behind);
    CHECK(side_of_nth({}, 9) == side::behind);
}

TEST_CASE("what is held is told from what is put aside without numbers by its distance") {
    const auto h = having_heard("m1", 30);
    const numbering nobody_knows;
    const auto first = *h.before(0, "m1");
    const auto side_of_nth = [&](const ranges& there, std::uint64_t n) {
        return side_of(there, "a", h, 0, nobody_knows, first + n);
    };
    const ranges there{{distance_name("a", "m1"), 10, 20}};
    CHECK(side_of_nth(there, 9) == side::before);
    CHECK(side_of_nth(there, 10) == side::there);
    CHECK(side_of_nth(there, 20) == side::there);
    CHECK(side_of_nth(there, 21) == side::behind);
    // It was heard by whoever led then, and nothing here can be compared with it.
    CHECK(side_of_nth({{distance_name("a", "unheard"), 1, 2 * hearing::gap_width}}, 9) == side::behind);
    // Behind one of two stretches is behind all.
    CHECK(side_of_nth({{distance_name("a", "m1"), 10, 20}, {"a", 1, 2}}, 9) == side::behind);
}
