#include "net/loop_lag.hpp"

namespace postrider::net {

using std::chrono::steady_clock;

asio::awaitable<void> loop_lag::run() {
    constexpr std::chrono::milliseconds interval{250};
    while (!stopping_) {
        const auto due = steady_clock::now() + interval;
        co_await stopped_.wait_until(due);
        if (!stopping_) seen_.add(core::seconds_between(due, steady_clock::now()));
    }
}

void loop_lag::stop() {
    stopping_ = true;
    stopped_.notify();
}

}  // namespace postrider::net
