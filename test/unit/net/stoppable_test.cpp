#include "net/stoppable.hpp"

#include <stdexcept>

#include "support/loop.hpp"

using namespace postrider;
using namespace postrider::test;

namespace {

struct fixture {
    loop l;
    net::stoppable s;
    int begun = 0;
    int done = 0;
    std::optional<bool> ended;

    asio::awaitable<void> wait_for_ever() {
        ++begun;
        asio::steady_timer timer(co_await asio::this_coro::executor, asio::steady_timer::time_point::max());
        co_await timer.async_wait(asio::use_awaitable);
        ++done;
    }
    asio::awaitable<void> end_at_once() {
        ++begun;
        ++done;
        co_return;
    }
    asio::awaitable<void> fail() {
        throw std::runtime_error("it broke");
        co_return;
    }
    asio::awaitable<void> note(asio::awaitable<void> work) { ended = co_await s.run(std::move(work)); }
};

}  // namespace

TEST_CASE("work that ends by itself is told from work that was stopped") {
    fixture f;
    CHECK(f.l.value_of(f.s.run(f.end_at_once())));
    CHECK(f.l.value_of(f.s.run(f.end_at_once())));
    CHECK(f.done == 2);
    f.l.start(f.note(f.wait_for_ever()));
    CHECK_FALSE(f.l.empty());
    CHECK_FALSE(f.ended);
    f.s.stop();
    CHECK(f.l.empty());
    REQUIRE(f.ended);
    CHECK_FALSE(*f.ended);
    CHECK(f.done == 2);
}

TEST_CASE("after the stop no work begins") {
    fixture f;
    f.s.stop();
    CHECK_FALSE(f.l.value_of(f.s.run(f.end_at_once())));
    CHECK(f.begun == 0);
}

TEST_CASE("what the work throws passes through") {
    fixture f;
    CHECK_THROWS_WITH(f.l.value_of(f.s.run(f.fail())), "it broke");
}
