#include "core/histogram.hpp"

#include <doctest/doctest.h>

using namespace postrider;

TEST_CASE("a sample is counted in the first bucket whose bound it does not exceed") {
    core::histogram h({1, 2, 5});
    for (const double sample : {0.0, 1.0, 1.5, 2.0, 5.0, 5.1, 100.0})
        h.add(sample);
    CHECK(h.counts() == std::vector<std::uint64_t>{2, 2, 1, 2});
    CHECK(h.sum() == doctest::Approx(114.6));
}

TEST_CASE("a time that goes back counts as none") {
    const auto now = std::chrono::steady_clock::now();
    CHECK(core::seconds_between(now, now - std::chrono::seconds(1)) == 0);
    CHECK(core::seconds_between(now, now + std::chrono::milliseconds(1'500)) == 1.5);
}
