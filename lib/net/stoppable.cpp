#include "net/stoppable.hpp"

#include <exception>
#include <utility>

namespace postrider::net {

asio::awaitable<bool> stoppable::run(asio::awaitable<void> work) {
    if (stopped_) co_return false;
    const auto executor = co_await asio::this_coro::executor;
    auto token = asio::bind_cancellation_slot(cancel_.slot(), asio::as_tuple(asio::use_awaitable));
    auto ended = asio::co_spawn(executor, std::move(work), std::move(token));
    const auto [error] = co_await std::move(ended);
    if (error && !stopped_) std::rethrow_exception(error);
    co_return !error;
}

void stoppable::stop() {
    stopped_ = true;
    cancel_.emit(asio::cancellation_type::terminal);
}

}  // namespace postrider::net
