#include "core/backoff.hpp"

#include <doctest/doctest.h>

#include <set>

using postrider::core::backoff;
using namespace std::chrono_literals;

namespace {

void lies_within_its_step(backoff::milliseconds wait, backoff::milliseconds step) {
    CHECK(wait >= step - step / 4);
    CHECK(wait <= step);
}

}  // namespace

TEST_CASE("waits double up to the cap, each shortened by a quarter at most") {
    for (std::uint64_t seed = 0; seed < 200; ++seed) {
        backoff b(1s, 30s, seed);
        for (const auto step : {1s, 2s, 4s, 8s, 16s, 30s, 30s, 30s}) {
            lies_within_its_step(b.next(), step);
        }
    }
}

TEST_CASE("after a success the first wait comes again") {
    backoff b(1s, 30s, 7);
    for (int i = 0; i < 5; ++i) {
        b.next();
    }
    CHECK(b.attempts() == 5);
    b.reset();
    CHECK(b.attempts() == 0);
    lies_within_its_step(b.next(), 1s);
    CHECK(b.attempts() == 1);
}

TEST_CASE("thousands of attempts stay at the cap and never overflow") {
    backoff b(1ms, 30s, 1);
    for (int i = 0; i < 20; ++i) {
        b.next();
    }
    for (int i = 0; i < 5'000; ++i) {
        lies_within_its_step(b.next(), 30s);
    }
}

TEST_CASE("clients with different seeds do not come back in step, one seed repeats itself") {
    std::set<std::int64_t> waits;
    for (std::uint64_t seed = 0; seed < 100; ++seed) {
        const auto wait = backoff(10s, 30s, seed).next();
        CHECK(wait == backoff(10s, 30s, seed).next());
        waits.insert(wait.count());
    }
    CHECK(waits.size() > 50);
}

TEST_CASE("a cap below the first wait rules") {
    backoff b(10s, 2s, 3);
    lies_within_its_step(b.next(), 2s);
    lies_within_its_step(b.next(), 2s);
}
