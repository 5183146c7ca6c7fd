#include "event/seen_ids.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace std::chrono_literals;
using postrider::event::seen_ids;

namespace {

seen_ids::time at(std::chrono::seconds s) {
    return seen_ids::time(s);
}

}  // namespace

TEST_CASE("an id is new once") {
    seen_ids seen;
    CHECK(seen.add("a", at(1s)));
    CHECK_FALSE(seen.add("a", at(1s)));
    CHECK_FALSE(seen.add("a", at(9s)));
    CHECK(seen.add("b", at(1s)));
    CHECK(seen.size() == 2);
}

TEST_CASE("an id keeps the time it was first added with") {
    seen_ids seen;
    seen.add("a", at(5s));
    seen.add("a", at(7s));
    CHECK(seen.time_of("a") == at(5s));
    CHECK_FALSE(seen.time_of("b").has_value());
}

TEST_CASE("the newest time never goes back, not even for known or forgotten ids") {
    seen_ids seen;
    CHECK_FALSE(seen.newest().has_value());
    seen.add("a", at(5s));
    seen.add("b", at(3s));
    CHECK(seen.newest() == at(5s));
    seen.add("a", at(6s));
    CHECK(seen.newest() == at(6s));
    seen.raise_newest(at(4s));
    CHECK(seen.newest() == at(6s));
    seen.raise_newest(at(8s));
    CHECK(seen.newest() == at(8s));
    seen.forget_before(at(100s));
    CHECK(seen.newest() == at(8s));
}

TEST_CASE("what is older than a time is forgotten, and that time itself is kept") {
    seen_ids seen;
    seen.add("late", at(9s));
    seen.add("old", at(1s));
    seen.add("same", at(5s));
    seen.add("old too", at(4s));
    seen.forget_before(at(5s));
    CHECK(seen.size() == 2);
    CHECK_FALSE(seen.time_of("old").has_value());
    CHECK(seen.time_of("same") == at(5s));
    CHECK(seen.add("old", at(1s)));
    CHECK_FALSE(seen.add("late", at(9s)));
}

TEST_CASE("past the limit the oldest ids go first") {
    seen_ids seen(3);
    seen.add("c", at(3s));
    seen.add("a", at(1s));
    seen.add("b", at(2s));
    CHECK(seen.add("d", at(4s)));
    CHECK(seen.size() == 3);
    CHECK_FALSE(seen.time_of("a").has_value());
    CHECK(seen.time_of("b").has_value());
    CHECK(seen.time_of("d").has_value());
}

TEST_CASE("many ids of one time are all told apart, short and long ones") {
    seen_ids seen;
    for (int i = 0; i < 1'000; ++i)
        CHECK(seen.add(std::string(static_cast<std::size_t>(i % 60), 'x') + std::to_string(i), at(1s)));
    for (int i = 0; i < 1'000; ++i)
        CHECK_FALSE(seen.add(std::string(static_cast<std::size_t>(i % 60), 'x') + std::to_string(i), at(1s)));
    seen.forget_before(at(2s));
    CHECK(seen.size() == 0);
}

TEST_CASE("an id of an earlier process is known, and says nothing of how far that one was") {
    seen_ids seen;
    seen.raise_newest(at(5s));
    CHECK(seen.know("a", at(9s)));
    CHECK_FALSE(seen.add("a", at(4s)));
    CHECK(seen.newest() == at(5s));
}
