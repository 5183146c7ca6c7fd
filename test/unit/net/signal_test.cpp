#include "net/signal.hpp"

#include "support/loop.hpp"

using namespace postrider;
using namespace postrider::test;

namespace {

// Counts up when the signal has woken it.
asio::awaitable<void> wait_once(net::signal& s, int& woken) {
    co_await s.wait();
    ++woken;
}

asio::awaitable<void> wait_until(net::signal& s, std::chrono::steady_clock::time_point limit, int& woken) {
    co_await s.wait_until(limit);
    ++woken;
}

}  // namespace

TEST_CASE("a notification wakes everybody who waits") {
    loop l;
    net::signal s(l.executor());
    int woken = 0;
    for (int i = 0; i < 3; ++i)
        l.start(wait_once(s, woken));
    l.empty();
    CHECK(woken == 0);
    s.notify();
    CHECK(l.empty());
    CHECK(woken == 3);
}

TEST_CASE("a notification that nobody waits for is not remembered") {
    loop l;
    net::signal s(l.executor());
    s.notify();
    int woken = 0;
    l.start(wait_once(s, woken));
    CHECK_FALSE(l.empty());
    CHECK(woken == 0);
    s.notify();
    CHECK(l.empty());
    CHECK(woken == 1);
}

TEST_CASE("a waiter returns at its deadline, and at once where that is past") {
    loop l;
    net::signal s(l.executor());
    int woken = 0;
    l.start(wait_until(s, in(20ms), woken));
    CHECK(l.until([&] { return woken == 1; }));
    l.start(wait_until(s, in(-1h), woken));
    CHECK(l.until([&] { return woken == 2; }));
    CHECK(l.empty());
}

TEST_CASE("a notification comes before the deadline, and the next wait has a deadline of its own") {
    loop l;
    net::signal s(l.executor());
    int woken = 0;
    l.start(wait_until(s, in(1h), woken));
    l.empty();
    s.notify();
    CHECK(l.until([&] { return woken == 1; }));
    l.start(wait_once(s, woken));
    CHECK_FALSE(l.empty());
    CHECK(woken == 1);
    s.notify();
    CHECK(l.empty());
}
