#include "service/progress.hpp"

#include <doctest/doctest.h>

#include <deque>

#include "../event/seed.hpp"

using namespace std::chrono_literals;
using postrider::core::steady;
using postrider::service::progress;
using step = progress::step;

namespace {

steady::time_point at(std::chrono::milliseconds t) {
    return steady::time_point(1h + t);
}

// On one line alone.
step look(progress& p, steady::time_point now, std::uint64_t accepted, std::uint64_t finished,
          steady::time_point saved_until) {
    const progress::line one{accepted, finished};
    return p.look(now, {&one, 1}, saved_until);
}
bool must_look(const progress& p, std::uint64_t finished) {
    const progress::line one{finished, finished};
    return p.must_look({&one, 1});
}

// The same, as plainly as can be: each delivery remembers its marks.
struct model {
    explicit model(std::size_t count) : waiting(count), lines(count) {}

    std::vector<std::deque<std::size_t>> waiting;  // of each line: how many marks there were before it
    std::vector<progress::line> lines;
    std::size_t marks = 0;
    std::vector<steady::time_point> taken = {};  // when each was
    steady::time_point saved_until{};

    void accept(std::size_t n) {
        waiting[n].push_back(marks);
        ++lines[n].accepted;
    }
    void finish(std::size_t n) {
        if (waiting[n].empty()) return;
        waiting[n].pop_front();
        ++lines[n].finished;
    }
    void mark(steady::time_point now) {
        ++marks;
        taken.push_back(now);
    }
    // What was under way at the last mark is done.
    bool is_reached() const {
        for (const auto& line : waiting)
            if (!line.empty() && line.front() < marks) return false;
        return saved_until >= taken.back();
    }
};

}  // namespace

TEST_CASE("the first look takes a mark, the next after the interval may write it") {
    progress p;
    CHECK(p.next_look() <= at(0s));
    CHECK(look(p, at(0s), 0, 0, at(0s)) == step::marked);
    CHECK(p.next_look() == at(1s));
    CHECK(look(p, at(999ms), 0, 0, at(999ms)) == step::wait);
    CHECK(look(p, at(1s), 0, 0, at(1s)) == step::reached);
    CHECK(p.next_look() == at(2s));
}

TEST_CASE("a mark waits for what was under way when it was taken, and for nothing later") {
    progress p;
    CHECK(look(p, at(0s), 10, 7, at(0s)) == step::marked);
    CHECK(look(p, at(1s), 20, 9, at(1s)) == step::wait);
    CHECK(look(p, at(2s), 30, 10, at(2s)) == step::reached);
    // Whose own mark waits for all thirty.
    CHECK(look(p, at(3s), 30, 29, at(3s)) == step::wait);
    CHECK(look(p, at(4s), 30, 30, at(4s)) == step::reached);
}

TEST_CASE("a mark waits until everything changed before it stands in Redis") {
    progress p;
    CHECK(look(p, at(0s), 0, 0, at(0s)) == step::marked);
    CHECK(look(p, at(1s), 0, 0, at(-1ms)) == step::wait);
    CHECK(look(p, at(2s), 0, 0, at(0s)) == step::reached);
    // The mark of that look lies at two seconds.
    CHECK(look(p, at(3s), 0, 0, at(1'999ms)) == step::wait);
    CHECK(look(p, at(4s), 0, 0, at(2s)) == step::reached);
}

TEST_CASE("a burst is looked at before the interval is over, each so many deliveries") {
    progress p;
    CHECK(look(p, at(0s), 0, 0, at(0s)) == step::marked);
    CHECK_FALSE(must_look(p, progress::burst - 1));
    CHECK(look(p, at(1ms), 10'000, progress::burst - 1, at(1ms)) == step::wait);
    CHECK(must_look(p, progress::burst));
    CHECK(look(p, at(2ms), 10'000, progress::burst, at(2ms)) == step::reached);
    CHECK(p.next_look() == at(1'002ms));
    CHECK_FALSE(must_look(p, 2 * progress::burst - 1));
    // Its mark waits for all that had been accepted, and is looked at no more often than that.
    CHECK(look(p, at(3ms), 20'000, 9'999, at(3ms)) == step::wait);
    CHECK_FALSE(must_look(p, 10'000));
    CHECK(look(p, at(4ms), 20'000, 2 * progress::burst + 9'999, at(4ms)) == step::reached);
}

TEST_CASE("while it waits it is looked at once an interval") {
    progress p;
    look(p, at(0s), 1, 0, at(0s));
    CHECK(look(p, at(1s), 1, 0, at(1s)) == step::wait);
    CHECK(p.next_look() == at(2s));
    CHECK(look(p, at(1'500ms), 1, 1, at(1'500ms)) == step::wait);
    CHECK(look(p, at(2s), 1, 1, at(2s)) == step::reached);
}

TEST_CASE("a line that is stuck counts as done by nothing that another one has delivered") {
    progress p;
    std::vector<progress::line> lines{{30, 0}, {10, 10}};
    CHECK(p.look(at(0s), lines, at(0s)) == step::marked);
    lines[1] = {70, 70};
    CHECK(p.look(at(1s), lines, at(1s)) == step::wait);
    lines[0].finished = 29;
    CHECK(p.look(at(2s), lines, at(2s)) == step::wait);
    lines[0].finished = 30;
    CHECK(p.look(at(3s), lines, at(3s)) == step::reached);
}

TEST_CASE("a mark is reached when every delivery before it is done, whatever the lines do") {
    std::mt19937_64 dice(postrider::test::random_seed());
    for (int round = 0; round < 300; ++round) {
        const auto count = static_cast<std::size_t>(postrider::test::throw_dice(dice, 1, 4));
        progress p;
        model m(count);
        // Some lines do little, or nothing at all for a while.
        std::vector<int> speeds;
        for (std::size_t n = 0; n < count; ++n)
            speeds.push_back(postrider::test::throw_dice(dice, 0, 10));
        for (int t = 1; t < 200; ++t) {
            const auto n = dice() % count;
            if (postrider::test::throw_dice(dice, 0, 9) < 5) m.accept(n);
            for (std::size_t i = 0; i < count; ++i)
                if (postrider::test::throw_dice(dice, 0, 19) < speeds[i]) m.finish(i);
            if (postrider::test::throw_dice(dice, 0, 19) == 0) speeds[n] = 10 - speeds[n];
            const auto now = at(std::chrono::milliseconds(t * 400));
            if (postrider::test::throw_dice(dice, 0, 2) != 0) m.saved_until = now;
            const bool is_due = now >= p.next_look();
            const auto outcome = p.look(now, m.lines, m.saved_until);
            auto expected = step::wait;
            if (is_due && m.marks == 0) expected = step::marked;
            if (is_due && m.marks != 0 && m.is_reached()) expected = step::reached;
            REQUIRE(outcome == expected);
            if (outcome != step::wait) m.mark(now);
        }
    }
}
