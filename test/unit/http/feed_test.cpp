#include "http/feed.hpp"

#include <doctest/doctest.h>

using namespace postrider;
using namespace std::chrono_literals;

TEST_CASE("a text is made when it is first asked for, and once an interval for all who ask") {
    int made = 0;
    http::feed f([&] { return std::to_string(++made); }, 1s);
    CHECK(made == 0);
    const core::steady::time_point start{1h};
    CHECK(*f.at(start) == "1");
    CHECK(f.at(start + 999ms) == f.at(start));
    CHECK(f.next() == start + 1s);
    CHECK(*f.at(start + 1s) == "2");
    CHECK(f.next() == start + 2s);
}

TEST_CASE("who asks late gets the newest, and what somebody still holds stays as it was") {
    int made = 0;
    http::feed f([&] { return std::to_string(++made); }, 1s);
    const core::steady::time_point start{1h};
    const auto held = f.at(start);
    CHECK(*f.at(start + 1h) == "2");
    CHECK(f.next() == start + 1h + 1s);
    CHECK(*held == "1");
}
