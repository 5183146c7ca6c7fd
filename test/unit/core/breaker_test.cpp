#include "core/breaker.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

#include "unit/event/seed.hpp"

using postrider::core::breaker;
using postrider::core::milliseconds;
using namespace std::chrono_literals;
using at = postrider::core::steady::time_point;
using state = breaker::state;

namespace {

constexpr at start{1'000s};

// The same said with a list of all that ever happened.
class model {
 public:
    explicit model(breaker::thresholds t) : t_(t) {}

    bool allows(at now) {
        if (state_ == state::open && now >= (resumed_ != at{} ? resumed_ : since_ + length())) {
            early_ = false;
            enter(state::half_open, now);
        }
        return state_ != state::open;
    }
    bool tries_early(at now) {
        if (state_ != state::open || early_) return false;
        early_ = true;
        const auto ends = since_ + length();
        enter(state::half_open, now);
        resume_ = ends;
        return true;
    }
    void ended(at now, bool well) {
        if (state_ == state::half_open) {
            if (!well && now < resume_) {
                const auto ends = resume_;
                enter(state::open, now);
                resumed_ = ends;
            } else if (!well) {
                ++openings_;
                enter(state::open, now);
            } else if (++well_ == t_.trials) {
                openings_ = 0;
                early_ = false;
                enter(state::closed, now);
            }
        } else if (state_ == state::closed && !well) {
            failures_.push_back(now);
            const auto lately =
                std::count_if(failures_.begin(), failures_.end(), [&](at f) { return now - f <= t_.window; });
            if (lately < static_cast<std::ptrdiff_t>(t_.failures)) return;
            openings_ = 1;
            enter(state::open, now);
        }
    }
    state current() const { return state_; }
    at since() const { return since_; }

 private:
    milliseconds length() const {
        auto longer = t_.open;
        for (unsigned i = 1; i < openings_; ++i)
            longer = std::min(longer * 2, t_.longest_open);
        return longer;
    }
    void enter(state s, at now) {
        state_ = s;
        since_ = now;
        well_ = 0;
        resume_ = resumed_ = {};
        failures_.clear();
    }

    breaker::thresholds t_;
    state state_ = state::closed;
    at since_{};
    std::vector<at> failures_;
    unsigned openings_ = 0;
    unsigned well_ = 0;
    bool early_ = false;
    at resume_{};
    at resumed_{};
};

}  // namespace

TEST_CASE("whatever happens, the breaker stands as its model does") {
    std::mt19937_64 dice(postrider::test::random_seed());
    const auto between = [&](int low, int high) { return postrider::test::throw_dice(dice, low, high); };
    int openings = 0;
    for (int run = 0; run < 300; ++run) {
        breaker::thresholds t;
        t.failures = static_cast<unsigned>(between(1, 6));
        t.window = milliseconds(between(0, 2'000));
        t.open = milliseconds(between(1, 1'000));
        t.longest_open = t.open * between(1, 9);
        t.trials = static_cast<unsigned>(between(1, 3));
        breaker b(t);
        model m(t);
        at now = start;
        const int luck = between(0, 10);
        for (int step = 0; step < 500; ++step) {
            now += milliseconds(between(0, 9) == 0 ? between(0, 3'000) : between(0, 100));
            if (between(0, 9) == 0) REQUIRE(b.try_early(now) == m.tries_early(now));
            const bool allowed = b.allows(now);
            REQUIRE(allowed == m.allows(now));
            if (allowed) {
                const bool well = between(1, 10) <= luck;
                m.ended(now, well);
                if (well)
                    b.succeeded(now);
                else
                    b.failed(now, "because");
                openings += b.current() == state::open ? 1 : 0;
            }
            REQUIRE(b.current() == m.current());
            REQUIRE(b.since() == m.since());
            REQUIRE(b.reason() == (b.current() == state::closed ? "" : "because"));
        }
    }
    CHECK(openings > 1'000);
}

TEST_CASE("failures that come close together open it, spread ones never do") {
    breaker b({.failures = 3, .window = 10s});
    for (int i = 0; i < 100; ++i)
        b.failed(start + i * 6s, "now and then");
    CHECK(b.current() == state::closed);
    b.failed(start + 595s, "again");
    CHECK(b.current() == state::open);
    CHECK(b.reason() == "again");
    CHECK(b.since() == start + 595s);
    CHECK(b.until() == start + 600s);
}

TEST_CASE("each trial that fails doubles the time, up to the longest; one that goes well begins anew") {
    breaker b({.failures = 1, .open = 5s, .longest_open = 12s});
    at now = start;
    b.failed(now, "first");
    for (const auto length : {5s, 10s, 12s, 12s}) {
        CHECK_FALSE(b.allows(now + length - 1ms));
        CHECK(b.current() == state::open);
        now += length;
        CHECK(b.allows(now));
        CHECK(b.current() == state::half_open);
        b.failed(now, "again");
    }
    now += 12s;
    REQUIRE(b.allows(now));
    b.succeeded(now);
    CHECK(b.current() == state::closed);
    b.failed(now, "first");
    CHECK(b.until() == now + 5s);
}

TEST_CASE("a server that is back is tried at once, whatever time is left") {
    breaker b({.failures = 1, .open = 5s, .longest_open = 20s});
    CHECK_FALSE(b.try_early(start));
    b.failed(start, "first");
    for (const auto t : {5s, 15s, 35s}) {
        REQUIRE(b.allows(start + t));
        b.failed(start + t, "again");
    }
    CHECK(b.until() == start + 55s);
    CHECK(b.try_early(start + 36s));
    CHECK(b.allows(start + 36s));
    CHECK(b.current() == state::half_open);
    b.succeeded(start + 36s);
    CHECK(b.current() == state::closed);
}

TEST_CASE(
    "a server that comes back again and again gets one early trial, and no longer time for its failure") {
    breaker b({.failures = 1, .open = 5s, .longest_open = 20s});
    b.failed(start, "first");
    REQUIRE(b.try_early(start + 1s));
    b.failed(start + 1s, "early");
    CHECK(b.current() == state::open);
    CHECK(b.reason() == "early");
    CHECK(b.until() == start + 5s);
    CHECK_FALSE(b.try_early(start + 2s));
    CHECK_FALSE(b.allows(start + 5s - 1ms));
    REQUIRE(b.allows(start + 5s));
    b.failed(start + 5s, "on time");
    CHECK(b.until() == start + 15s);
    CHECK(b.try_early(start + 6s));
}

TEST_CASE("what ends late, while it is open, changes nothing") {
    breaker b({.failures = 1, .open = 5s});
    b.failed(start, "first");
    b.failed(start + 1s, "late");
    b.succeeded(start + 2s);
    CHECK(b.current() == state::open);
    CHECK(b.since() == start);
    CHECK(b.until() == start + 5s);
    CHECK(b.reason() == "first");
}

TEST_CASE("who has no time left may try at once") {
    breaker b({.failures = 1});
    b.try_now(start);
    CHECK(b.current() == state::closed);
    b.failed(start, "why");
    b.try_now(start + 1ms);
    CHECK(b.allows(start + 1ms));
    CHECK(b.current() == state::half_open);
}

TEST_CASE("after a reset nothing has ever failed") {
    breaker b({.failures = 2, .open = 5s});
    b.failed(start, "one");
    b.reset(start);
    b.failed(start, "one");
    CHECK(b.current() == state::closed);
    b.failed(start, "two");
    REQUIRE(b.allows(start + 5s));
    b.failed(start + 5s, "three");
    b.reset(start + 6s);
    CHECK(b.current() == state::closed);
    CHECK(b.reason().empty());
    b.failed(start + 7s, "one");
    b.failed(start + 7s, "two");
    CHECK(b.until() == start + 12s);
}
