#include "core/percentiles.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <numeric>

using postrider::core::percentiles_of;

TEST_CASE("no sample gives zeros") {
    const auto p = percentiles_of({});
    CHECK(p.p50 == 0);
    CHECK(p.p99 == 0);
    CHECK(p.max == 0);
}

TEST_CASE("one sample is every percentile") {
    const auto p = percentiles_of({7.5});
    CHECK(p.p50 == 7.5);
    CHECK(p.p95 == 7.5);
    CHECK(p.p99 == 7.5);
    CHECK(p.max == 7.5);
}

TEST_CASE("of 1 to 100 the percentile is its own number, in whatever order they come") {
    std::vector<double> samples(100);
    std::iota(samples.begin(), samples.end(), 1.0);
    std::reverse(samples.begin(), samples.end());
    std::swap(samples[3], samples[70]);
    const auto p = percentiles_of(samples);
    CHECK(p.p50 == 50);
    CHECK(p.p95 == 95);
    CHECK(p.p99 == 99);
    CHECK(p.max == 100);
}

TEST_CASE("between two ranks the upper one counts") {
    const auto p = percentiles_of({1, 2, 3});
    CHECK(p.p50 == 2);
    CHECK(p.p95 == 3);
    std::vector<double> twenty(20);
    std::iota(twenty.begin(), twenty.end(), 1.0);
    CHECK(percentiles_of(twenty).p95 == 19);
    CHECK(percentiles_of(twenty).p99 == 20);
}
