#include "net/signal.hpp"

namespace postrider::net {

asio::awaitable<void> signal::wait_until(std::chrono::steady_clock::time_point deadline) {
    if (timer_.expiry() != deadline) timer_.expires_at(deadline);
    co_await timer_.async_wait(asio::as_tuple(asio::use_awaitable));
}

}  // namespace postrider::net
