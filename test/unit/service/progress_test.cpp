#include "service/progress.hpp"

#include <doctest/doctest.h>

using namespace std::chrono_literals;
using postrider::core::steady;
using postrider::service::progress;
using step = progress::step;

namespace {

steady::time_point at(std::chrono::milliseconds t) {
    return steady::time_point(1h + t);
}

}  // namespace

TEST_CASE("the first look takes a mark, the next after the interval may write it") {
    progress p;
    CHECK(p.next_look() <= at(0s));
    CHECK(p.look(at(0s), 0, 0, at(0s)) == step::marked);
    CHECK(p.next_look() == at(1s));
    CHECK(p.look(at(999ms), 0, 0, at(999ms)) == step::wait);
    CHECK(p.look(at(1s), 0, 0, at(1s)) == step::reached);
    CHECK(p.next_look() == at(2s));
}

TEST_CASE("a mark waits for what was under way when it was taken, and for nothing later") {
    progress p;
    CHECK(p.look(at(0s), 10, 7, at(0s)) == step::marked);
    CHECK(p.look(at(1s), 20, 9, at(1s)) == step::wait);
    CHECK(p.look(at(2s), 30, 10, at(2s)) == step::reached);
    // Whose own mark waits for all thirty.
    CHECK(p.look(at(3s), 30, 29, at(3s)) == step::wait);
    CHECK(p.look(at(4s), 30, 30, at(4s)) == step::reached);
}

TEST_CASE("a mark waits until everything changed before it stands in Redis") {
    progress p;
    CHECK(p.look(at(0s), 0, 0, at(0s)) == step::marked);
    CHECK(p.look(at(1s), 0, 0, at(-1ms)) == step::wait);
    CHECK(p.look(at(2s), 0, 0, at(0s)) == step::reached);
    // The mark of that look lies at two seconds.
    CHECK(p.look(at(3s), 0, 0, at(1'999ms)) == step::wait);
    CHECK(p.look(at(4s), 0, 0, at(2s)) == step::reached);
}

TEST_CASE("a burst is looked at before the interval is over, each so many deliveries") {
    progress p;
    CHECK(p.look(at(0s), 0, 0, at(0s)) == step::marked);
    CHECK_FALSE(p.must_look(progress::burst - 1));
    CHECK(p.look(at(1ms), 10'000, progress::burst - 1, at(1ms)) == step::wait);
    CHECK(p.must_look(progress::burst));
    CHECK(p.look(at(2ms), 10'000, progress::burst, at(2ms)) == step::reached);
    CHECK(p.next_look() == at(1'002ms));
    CHECK_FALSE(p.must_look(2 * progress::burst - 1));
    // Its mark waits for all that had been accepted, and is looked at no more often than that.
    CHECK(p.look(at(3ms), 20'000, 9'999, at(3ms)) == step::wait);
    CHECK_FALSE(p.must_look(10'000));
    CHECK(p.look(at(4ms), 20'000, 2 * progress::burst + 9'999, at(4ms)) == step::reached);
}

TEST_CASE("while it waits it is looked at once an interval") {
    progress p;
    p.look(at(0s), 1, 0, at(0s));
    CHECK(p.look(at(1s), 1, 0, at(1s)) == step::wait);
    CHECK(p.next_look() == at(2s));
    CHECK(p.look(at(1'500ms), 1, 1, at(1'500ms)) == step::wait);
    CHECK(p.look(at(2s), 1, 1, at(2s)) == step::reached);
}
