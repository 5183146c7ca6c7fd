#pragma once

#include "net/asio.hpp"

namespace postrider::net {

// A wake-up for coroutines of one thread. It carries no value: a waiter looks at its condition again, in a
// loop.
class signal {
 public:
    explicit signal(const asio::any_io_executor& executor) : timer_(executor) {}

    // Wakes everybody who waits now; nobody waiting: no effect.
    void notify() { timer_.cancel(); }

    // Returns at the next notify().
    asio::awaitable<void> wait() { return wait_until(std::chrono::steady_clock::time_point::max()); }

    // Returns at the next notify() or at `deadline`. All who wait at once use deadlines of their own only
    // through wait_until of signals of their own: a later deadline set here wakes the earlier waiters.
    asio::awaitable<void> wait_until(std::chrono::steady_clock::time_point deadline);

 private:
    asio::steady_timer timer_;
};

}  // namespace postrider::net
