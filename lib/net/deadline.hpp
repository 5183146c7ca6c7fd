#pragma once

#include "net/asio.hpp"

namespace postrider::net {

using deadline = std::chrono::steady_clock::time_point;

// Runs a deferred operation (its handler takes an error_code, and perhaps one value) against a deadline.
// Past the deadline the operation is cancelled and the error is asio::error::timed_out; the completion order,
// not the first success, says which of the two it was.
template <class Operation>
asio::awaitable<error_code> before(deadline limit, Operation operation) {
    asio::steady_timer timer(co_await asio::this_coro::executor, limit);
    auto race =
        asio::experimental::make_parallel_group(std::move(operation), timer.async_wait(asio::deferred));
    auto waited = race.async_wait(asio::experimental::wait_for_one(), asio::use_awaitable);
    const auto outcome = co_await std::move(waited);
    const auto& order = std::get<0>(outcome);
    if (order[0] == 1) co_return asio::error::timed_out;
    co_return std::get<1>(outcome);
}

// The same for an operation with a value: (error_code, Value).
template <class Value, class Operation>
asio::awaitable<std::pair<error_code, Value>> value_before(deadline limit, Operation operation) {
    asio::steady_timer timer(co_await asio::this_coro::executor, limit);
    auto race =
        asio::experimental::make_parallel_group(std::move(operation), timer.async_wait(asio::deferred));
    auto waited = race.async_wait(asio::experimental::wait_for_one(), asio::use_awaitable);
    auto outcome = co_await std::move(waited);
    std::pair<error_code, Value> answer(std::get<1>(outcome), std::move(std::get<2>(outcome)));
    if (std::get<0>(outcome)[0] == 1) answer.first = asio::error::timed_out;
    co_return answer;
}

}  // namespace postrider::net
