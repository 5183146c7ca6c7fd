#include "core/rate.hpp"

#include <doctest/doctest.h>

using namespace std::chrono_literals;
using postrider::core::rate;
using postrider::core::steady;

namespace {

steady::time_point at(std::chrono::milliseconds t) {
    return steady::time_point(1'000'000s + t);
}

}  // namespace

TEST_CASE("a rate is the mean of the last ten full seconds") {
    rate r;
    CHECK(r.per_second(at(0s)) == 0);
    r.add(30, at(0s));
    r.add(70, at(900ms));
    // The second under way does not count yet.
    CHECK(r.per_second(at(999ms)) == 0);
    CHECK(r.per_second(at(1s)) == 10);
    r.add(100, at(5s));
    CHECK(r.per_second(at(6s)) == 20);
}

TEST_CASE("a second counts for ten seconds after its end") {
    rate r;
    r.add(100, at(500ms));
    CHECK(r.per_second(at(10'999ms)) == 10);
    CHECK(r.per_second(at(11s)) == 0);
}

TEST_CASE("old seconds do not come back when their room is used again") {
    rate r;
    for (int i = 0; i < 100; ++i)
        r.add(10, at(i * 1s));
    CHECK(r.per_second(at(100s)) == 10);
    r.add(1, at(105s));
    CHECK(r.per_second(at(105s)) == 5);
    CHECK(r.per_second(at(106s)) == doctest::Approx(4.1));
    // After a pause longer than what is remembered.
    r.add(20, at(1'000s));
    CHECK(r.per_second(at(1'001s)) == 2);
    CHECK(r.per_second(at(2'000s)) == 0);
}
