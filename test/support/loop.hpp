#pragma once

#include <doctest/doctest.h>

#include <chrono>
#include <functional>
#include <optional>
#include <utility>

#include "net/asio.hpp"

namespace postrider::test {

using namespace std::chrono_literals;

inline std::chrono::steady_clock::time_point in(std::chrono::milliseconds time) {
    return std::chrono::steady_clock::now() + time;
}

// A loop that turns only while the test waits for something, so that the test decides what happens when.
class loop {
 public:
    asio::any_io_executor executor() { return context_.get_executor(); }
    asio::io_context& context() { return context_; }

    // Turns until the condition holds; false after the limit.
    bool until(const std::function<bool()>& condition, std::chrono::seconds limit = 60s) {
        const auto end = std::chrono::steady_clock::now() + limit;
        while (!condition()) {
            if (std::chrono::steady_clock::now() >= end) return false;
            if (context_.stopped()) context_.restart();
            context_.run_one_for(5ms);
        }
        return true;
    }

    // Runs at most so many handlers, as they come.
    void step(std::size_t handlers) {
        for (std::size_t i = 0; i < handlers; ++i) {
            if (context_.stopped()) context_.restart();
            context_.run_one_for(1s);
        }
    }

    // Does what can be done at once; true: nothing is left to wait for, so no coroutine either.
    bool empty() {
        context_.restart();
        context_.poll();
        return context_.stopped();
    }

    // Starts a coroutine, which must not throw.
    void start(asio::awaitable<void> task) {
        asio::co_spawn(context_, std::move(task), [](const std::exception_ptr& error) {
            CHECK_MESSAGE(!error, "a coroutine ended with an exception");
        });
    }

    // A coroutine's value; what it throws passes through.
    template <class T>
    T value_of(asio::awaitable<T> task) {
        std::optional<T> value;
        std::exception_ptr thrown;
        bool ended = false;
        asio::co_spawn(context_, keep(std::move(task), value), [&](const std::exception_ptr& error) {
            thrown = error;
            ended = true;
        });
        // The coroutine refers to this frame: leaving without its end would be worse than stopping here.
        if (!until([&] { return ended; }, 120s)) std::abort();
        if (thrown) std::rethrow_exception(thrown);
        return std::move(*value);
    }

 private:
    template <class T>
    static asio::awaitable<void> keep(asio::awaitable<T> task, std::optional<T>& value) {
        auto result = co_await std::move(task);
        value.emplace(std::move(result));
    }

    asio::io_context context_{1};
};

}  // namespace postrider::test
