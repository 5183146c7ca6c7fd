#include "redis/link.hpp"

namespace postrider::redis {

link_health::link_health(const asio::any_io_executor& executor) : changed(executor) {
    now.since = core::steady::now();
}

void link_health::enter(link_state s) {
    const auto at = core::steady::now();
    if (now.state != link_state::connected) now.away += at - now.since;
    now.state = s;
    now.since = at;
    changed.notify();
}

void link_health::pinged(std::chrono::microseconds round_trip) {
    constexpr std::size_t remembered = 1'024;
    now.last_ping = round_trip;
    pings.push_back(round_trip);
    if (pings.size() > remembered) pings.pop_front();
}

}  // namespace postrider::redis
