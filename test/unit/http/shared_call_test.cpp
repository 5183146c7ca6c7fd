#include "http/shared_call.hpp"

#include <doctest/doctest.h>

#include <stdexcept>

using namespace postrider;

namespace {

using answer = core::result<int>;

// An underlying call that ends when the test says so.
struct gate {
    explicit gate(asio::io_context& c) : opened(c.get_executor()) {}
    net::signal opened;
    bool open = false;
    int calls = 0;
    int cancelled = 0;
    int running = 0;
    std::optional<core::failure> failing;
    bool throwing = false;
    bool stubborn = false;  // does not end when it is cancelled
};

asio::awaitable<answer> pass(gate& g) {
    ++g.calls;
    ++g.running;
    const auto state = co_await asio::this_coro::cancellation_state;
    if (g.stubborn) co_await asio::this_coro::throw_if_cancelled(false);
    while (!g.open && (g.stubborn || state.cancelled() == asio::cancellation_type::none))
        co_await g.opened.wait();
    --g.running;
    if (state.cancelled() != asio::cancellation_type::none) ++g.cancelled;
    if (g.throwing) throw std::runtime_error("a bug");
    if (g.failing) co_return *g.failing;
    co_return g.calls;
}

struct caller {
    asio::cancellation_signal cancel;
    std::optional<answer> got;
    std::string thrown;
    bool ended = false;
};

struct world {
    asio::io_context context;
    gate g{context};
    std::optional<http::shared_call<int>> shared;
    std::vector<std::unique_ptr<caller>> callers;

    world() {
        shared.emplace([this] { return pass(g); });
    }

    caller& call() {
        auto& c = *callers.emplace_back(std::make_unique<caller>());
        asio::co_spawn(
            context, (*shared)(),
            asio::bind_cancellation_slot(c.cancel.slot(), [&c](const std::exception_ptr& e, answer a) {
                c.ended = true;
                try {
                    if (e) std::rethrow_exception(e);
                    c.got = std::move(a);
                } catch (const std::exception& why) {
                    c.thrown = why.what();
                }
            }));
        return c;
    }

    // Runs what can run without the gate.
    void turn() {
        context.restart();
        context.poll();
    }

    void open() {
        g.open = true;
        g.opened.notify();
        turn();
    }
};

}  // namespace

TEST_CASE("a hundred callers make one call and get its answer") {
    world w;
    for (int i = 0; i < 100; ++i)
        w.call();
    w.turn();
    CHECK(w.g.calls == 1);
    w.open();
    for (const auto& c : w.callers) {
        REQUIRE(c->got.has_value());
        CHECK(c->got->value() == 1);
    }
    CHECK(w.g.calls == 1);
}

TEST_CASE("whoever comes after the answer makes a call of its own") {
    world w;
    w.call();
    w.open();
    auto& late = w.call();
    w.turn();
    REQUIRE(late.got.has_value());
    CHECK(late.got->value() == 2);
}

TEST_CASE("an error is shared") {
    world w;
    w.g.failing = core::failure{core::errc::timeout, "too slow"};
    for (int i = 0; i < 10; ++i)
        w.call();
    w.turn();
    w.open();
    for (const auto& c : w.callers) {
        REQUIRE(c->got.has_value());
        REQUIRE(c->got->has_error());
        CHECK(c->got->error().message == "too slow");
    }
    CHECK(w.g.calls == 1);
}

TEST_CASE("an exception is shared, and the next call starts anew") {
    world w;
    w.g.throwing = true;
    for (int i = 0; i < 10; ++i)
        w.call();
    w.turn();
    w.open();
    for (const auto& c : w.callers)
        CHECK(c->thrown == "a bug");
    w.g.throwing = false;
    auto& next = w.call();
    w.turn();
    CHECK(next.got.has_value());
}

TEST_CASE("callers that go away leave the others their answer, the first caller too") {
    world w;
    for (int i = 0; i < 10; ++i)
        w.call();
    w.turn();
    for (std::size_t i = 0; i < 9; ++i)
        w.callers[i]->cancel.emit(asio::cancellation_type::terminal);
    w.turn();
    for (std::size_t i = 0; i < 9; ++i) {
        CHECK(w.callers[i]->ended);
        CHECK((!w.callers[i]->got || w.callers[i]->got->has_error()));
    }
    CHECK(w.g.cancelled == 0);
    CHECK_FALSE(w.callers[9]->ended);
    w.open();
    REQUIRE(w.callers[9]->got.has_value());
    CHECK(w.callers[9]->got->value() == 1);
}

TEST_CASE("when the last caller goes the call is cancelled and has ended before the caller has") {
    world w;
    auto& first = w.call();
    auto& second = w.call();
    w.turn();
    first.cancel.emit(asio::cancellation_type::terminal);
    w.turn();
    second.cancel.emit(asio::cancellation_type::terminal);
    w.turn();
    CHECK(w.g.cancelled == 1);
    CHECK(w.g.running == 0);
    CHECK(second.ended);
    auto& next = w.call();
    w.turn();
    CHECK(w.g.calls == 2);
    w.open();
    REQUIRE(next.got.has_value());
    CHECK(next.got->value() == 2);
}

TEST_CASE(
    "the last caller waits for a call that takes its time to end, and nobody joins that call any more") {
    world w;
    w.g.stubborn = true;
    auto& last = w.call();
    w.turn();
    last.cancel.emit(asio::cancellation_type::terminal);
    w.turn();
    CHECK(w.g.running == 1);
    CHECK_FALSE(last.ended);
    auto& next = w.call();
    w.turn();
    CHECK(w.g.calls == 2);
    w.open();
    CHECK(last.ended);
    CHECK(next.got.has_value());
    CHECK(w.g.running == 0);
}

TEST_CASE("the shared call may go while a call is under way") {
    world w;
    auto& c = w.call();
    w.turn();
    w.shared.reset();
    w.open();
    REQUIRE(c.got.has_value());
    CHECK(c.got->value() == 1);
}

TEST_CASE("a loop that is destroyed in the middle leaks nothing") {
    world w;
    w.call();
    w.call();
    w.turn();
    CHECK(w.g.running == 1);
}
