#include "net/task_group.hpp"

#include <stdexcept>

#include "support/loop.hpp"

using namespace postrider;
using namespace postrider::test;

namespace {

struct fixture {
    loop l;
    std::vector<std::string> failures;
    net::task_group group{l.executor(), [this](std::string_view name, std::string_view words) {
                              failures.push_back(std::string(name) + ": " + std::string(words));
                          }};
    net::signal gate{l.executor()};
    bool open = false;

    asio::awaitable<void> at_gate() {
        while (!open)
            co_await gate.wait();
    }
    asio::awaitable<void> fail(bool at_once) {
        if (!at_once) co_await at_gate();
        throw std::runtime_error("it broke");
    }
    asio::awaitable<void> start_another() {
        co_await at_gate();
        open = false;
        group.spawn("another", at_gate());
    }
    void open_gate() {
        open = true;
        gate.notify();
    }
    // Whether join() has returned is seen in the flag.
    asio::awaitable<void> join(bool& joined) {
        co_await group.join();
        joined = true;
    }
};

}  // namespace

TEST_CASE("a group without tasks is joined at once") {
    fixture f;
    bool joined = false;
    f.l.start(f.join(joined));
    CHECK(f.l.empty());
    CHECK(joined);
}

TEST_CASE("joining waits for every task") {
    fixture f;
    f.group.spawn("one", f.at_gate());
    f.group.spawn("two", f.at_gate());
    CHECK(f.group.size() == 2);
    bool joined = false;
    f.l.start(f.join(joined));
    CHECK_FALSE(f.l.empty());
    CHECK_FALSE(joined);
    f.open_gate();
    CHECK(f.l.empty());
    CHECK(joined);
    CHECK(f.group.size() == 0);
    CHECK(f.failures.empty());
}

TEST_CASE("joining waits for a task that another one started meanwhile") {
    fixture f;
    f.group.spawn("first", f.start_another());
    bool joined = false;
    f.l.start(f.join(joined));
    f.l.empty();
    f.open_gate();
    CHECK_FALSE(f.l.empty());
    CHECK_FALSE(joined);
    CHECK(f.group.size() == 1);
    f.open_gate();
    CHECK(f.l.empty());
    CHECK(joined);
}

TEST_CASE("joining gives up at the limit, and the tasks go on") {
    fixture f;
    f.group.spawn("patient", f.at_gate());
    CHECK_FALSE(f.l.value_of(f.group.join_until(in(20ms))));
    CHECK_FALSE(f.l.value_of(f.group.join_until(in(-1h))));
    CHECK(f.group.size() == 1);
    f.open_gate();
    CHECK(f.l.value_of(f.group.join_until(in(1h))));
    CHECK(f.l.empty());
}

TEST_CASE("a task that ends with an exception is reported by name, and the others go on") {
    for (const bool at_once : {true, false}) {
        fixture f;
        f.group.spawn("patient", f.at_gate());
        f.group.spawn("broken", f.fail(at_once));
        f.l.empty();
        CHECK(f.failures.size() == (at_once ? 1U : 0U));
        CHECK(f.group.size() == (at_once ? 1U : 2U));
        f.open_gate();
        CHECK(f.l.empty());
        CHECK(f.group.size() == 0);
        REQUIRE(f.failures.size() == 1);
        CHECK(f.failures[0] == "broken: it broke");
    }
}
