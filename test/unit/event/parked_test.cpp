#include "event/parked.hpp"

#include <doctest/doctest.h>

#include "seed.hpp"

using namespace postrider::event;

namespace {

using numbers = std::vector<std::pair<std::string, std::uint64_t>>;

parked with(numbers n) {
    parked p;
    p.numbers = std::move(n);
    return p;
}

}  // namespace

TEST_CASE("an event's numbers are written as words") {
    CHECK(numbers_text(with({{"bot_events", 17}, {"audit", 4}})) == "bot_events 17 audit 4");
    CHECK(numbers_text(with({{"one", 18'446'744'073'709'551'615U}})) == "one 18446744073709551615");
    CHECK(numbers_text(with({})).empty());
}

TEST_CASE("the marks stand behind the numbers, and are read back among them") {
    auto p = with({{"a", 17}, {"b", 4}});
    p.marks.emplace_back(mark_name("a", "m1"), 12);
    CHECK(numbers_text(p) == "a 17 b 4 @a@m1 12");
    parked after;
    read_numbers(numbers_text(p), after);
    CHECK(after.number_of("a") == 17);
    CHECK(after.number_of(mark_name("a", "m1")) == 12);
}

TEST_CASE("up to where an event cancels is written behind its numbers, and is no number of its own") {
    parked before;
    before.marks.emplace_back(cancel_name("a"), 12);
    CHECK(before.cancels_until("a") == 12);
    parked after;
    read_numbers(numbers_text(before), after);
    CHECK(after.cancels_until("a") == 12);
    CHECK_FALSE(after.cancels_until("ab"));
    CHECK_FALSE(after.is_for("a"));
    CHECK_FALSE(after.distance("a"));
    CHECK(marker_in(cancel_name("a"), "a").empty());
}

TEST_CASE("an event without a number is told by its distance behind a marker, route by route") {
    auto p = with({{"a", 0}, {distance_name("a", "m1"), 5}, {"ab", 7}});
    p.id = 3;
    parked after;
    read_numbers(numbers_text(p), after);
    CHECK(after.distance("a") == marked_number{"m1", 5});
    CHECK_FALSE(after.distance("ab"));
    CHECK_FALSE(after.distance("b"));
    CHECK(after.number_of("a") == 0);
    CHECK(after.is_for("a"));
}

TEST_CASE("names of marks and of distances are not taken for each other, nor for another route's") {
    CHECK(marker_in(mark_name("a", "m1"), "a") == "m1");
    CHECK(marker_in(mark_name("ab", "m1"), "a").empty());
    CHECK(marker_in(distance_name("a", "m1"), "a").empty());
    CHECK(marker_in("a", "a").empty());
    CHECK(distance_marker_in(distance_name("a", "m1"), "a") == "m1");
    CHECK(distance_marker_in(distance_name("ab", "m1"), "a").empty());
    CHECK(distance_marker_in(mark_name("a", "m1"), "a").empty());
}

TEST_CASE("what was put back in front was taken before, unless it never had a number") {
    auto p = with({{"a", 4}});
    CHECK_FALSE(p.was_taken());
    p.id = 1;
    CHECK_FALSE(p.was_taken());
    p.id = 0;
    CHECK(p.was_taken());
    p.numbers = {{"a", 0}, {distance_name("a", "m1"), 5}};
    CHECK_FALSE(p.was_taken());
}

TEST_CASE("an event without a number widens no range of numbers, but that of its distances") {
    std::vector<parked_range> ranges;
    const auto at = [](std::uint64_t n) { return with({{"a", 0}, {distance_name("a", "m1"), n}}); };
    widen(ranges, at(3), at(9));
    CHECK(range_of(ranges, "a") == nullptr);
    REQUIRE(range_of(ranges, distance_name("a", "m1")) != nullptr);
    CHECK(range_of(ranges, distance_name("a", "m1"))->first == 3);
    CHECK(range_of(ranges, distance_name("a", "m1"))->last == 9);
}

TEST_CASE("what was written is read as it was, for any names and numbers") {
    std::mt19937_64 dice(postrider::test::random_seed());
    for (int round = 0; round < 1'000; ++round) {
        parked before;
        const auto count = dice() % 5;
        for (std::uint64_t i = 0; i < count; ++i) {
            std::string name = "r" + std::to_string(i);
            for (auto letters = dice() % 10; letters != 0; --letters)
                name += "abc_-.0é\"'\\"[dice() % 11];
            before.numbers.emplace_back(name, dice() >> (dice() % 64));
        }
        parked after;
        read_numbers(numbers_text(before), after);
        REQUIRE(after.numbers == before.numbers);
    }
}

TEST_CASE("a route that an event is not for has the number 0") {
    const auto p = with({{"a", 3}, {"b", 5}});
    CHECK(p.number_of("a") == 3);
    CHECK(p.number_of("b") == 5);
    CHECK(p.number_of("c") == 0);
    CHECK(p.number_of("") == 0);
}

TEST_CASE("an event is for a route also where it has no number there") {
    const auto p = with({{"a", 0}, {"b", 0}});
    CHECK(p.is_for("a"));
    CHECK_FALSE(p.is_for("c"));
}

TEST_CASE("text that is no numbers does no harm") {
    for (const auto* text : {"a", "a ", " ", "a x", "a 1 b", "  1", "a -1", "a 99999999999999999999999"}) {
        parked p;
        read_numbers(text, p);
        CHECK(p.number_of("b") == 0);
    }
}

TEST_CASE("each route has its range, as wide as all that is put aside of it") {
    std::vector<parked_range> ranges;
    CHECK(range_of(ranges, "a") == nullptr);
    widen(ranges, with({{"a", 10}, {"b", 110}}), with({{"a", 20}, {"b", 120}}));
    widen(ranges, with({{"b", 90}}), with({{"b", 100}}));
    REQUIRE(range_of(ranges, "a") != nullptr);
    CHECK(range_of(ranges, "a")->first == 10);
    CHECK(range_of(ranges, "a")->last == 20);
    CHECK(range_of(ranges, "b")->first == 90);
    CHECK(range_of(ranges, "b")->last == 120);
    CHECK(range_of(ranges, "c") == nullptr);
    CHECK_FALSE(range_of(ranges, "a")->holds(9));
    CHECK(range_of(ranges, "a")->holds(10));
    CHECK(range_of(ranges, "a")->holds(20));
    CHECK_FALSE(range_of(ranges, "a")->holds(21));
}

TEST_CASE("what a stop has put back stands in front of the first place that the table gives") {
    parked p;
    CHECK_FALSE(p.was_taken());
    p.id = 1;
    CHECK_FALSE(p.was_taken());
    p.id = 0;
    CHECK(p.was_taken());
    p.id = -5'000'000'000;
    CHECK(p.was_taken());
}
