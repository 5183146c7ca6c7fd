#include "event/recent.hpp"

#include <doctest/doctest.h>

using postrider::event::hearing;
using postrider::event::recent;
using namespace std::chrono_literals;

namespace {

const postrider::event::steady_time start{};

hearing::heard one(std::uint64_t number, std::chrono::milliseconds at, std::size_t bytes = 1) {
    hearing::heard h;
    h.number = number;
    h.payload = std::string(bytes, 'x');
    h.at = start + at;
    return h;
}

std::vector<std::uint64_t> taken(recent& r, std::chrono::milliseconds at) {
    std::vector<std::uint64_t> numbers;
    for (const auto& h : r.take(start + at))
        numbers.push_back(h.number);
    return numbers;
}

}  // namespace

TEST_CASE("what was heard within the last minute is there once, oldest first") {
    recent r;
    r.add(one(1, 0s));
    r.add(one(2, 1ms));
    r.add(one(3, 30s));
    CHECK(taken(r, 60'001ms) == std::vector<std::uint64_t>{2, 3});
    CHECK(taken(r, 60'001ms).empty());
}

TEST_CASE("what a later event finds older than a minute is forgotten, so that no memory holds it") {
    recent r;
    r.add(one(1, 0s, recent::most_bytes / 2));
    r.add(one(2, 61s, recent::most_bytes / 2));
    r.add(one(3, 62s, recent::most_bytes / 2));
    // Had the first stayed, the second would have had to go.
    CHECK(taken(r, 0s) == std::vector<std::uint64_t>{2, 3});
}

TEST_CASE("past the bound the oldest go") {
    recent r;
    r.add(one(1, 0s, recent::most_bytes / 2));
    r.add(one(2, 0s, recent::most_bytes / 2));
    CHECK(taken(r, 0s).size() == 2);
    r.add(one(1, 0s, recent::most_bytes / 2));
    r.add(one(2, 0s, recent::most_bytes / 2));
    r.add(one(3, 0s));
    CHECK(taken(r, 0s) == std::vector<std::uint64_t>{2, 3});
    r.add(one(4, 0s, recent::most_bytes));
    CHECK(taken(r, 0s) == std::vector<std::uint64_t>{4});
}
