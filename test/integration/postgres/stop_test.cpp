// stop() at every stage: run() returns, and nothing is left behind. What a test waits for would take ten
// minutes.
#include <doctest/doctest.h>

#include "listening.hpp"
#include "support/ports.hpp"
#include "support/postgres_server.hpp"
#include "support/sql.hpp"
#include "support/tcp_gate.hpp"

using namespace postrider;
using namespace postrider::test;
using support::postgres_server;

namespace {

std::string through(const support::tcp_gate& gate) {
    return "host=127.0.0.1 user=postgres dbname=postgres sslmode=disable port=" + std::to_string(gate.port());
}

}  // namespace

// Each test ends with the destructor of `listening`, which stops it and looks.

TEST_CASE("before it began") {
    listening l(patient("host=127.0.0.1 port=1"));
}

TEST_CASE("after any number of steps") {
    const postgres_server server;
    for (std::size_t steps = 1; steps < 60; ++steps) {
        INFO(steps);
        auto s = patient(server.url());
        s.catch_ups = {"SELECT 'old' WHERE $1::timestamptz IS NOT NULL"};
        listening l(s);
        for (std::size_t i = 0; i < steps; ++i)
            l.loop().context().run_one_for(50ms);
    }
}

TEST_CASE("while a name is looked up") {
    listening l(patient("host=localhost port=1"));
    l.loop().context().run_one();
}

TEST_CASE("while a server does not answer the connection") {
    const postgres_server server;
    support::tcp_gate gate(server.port());
    gate.stall();
    listening l(patient(through(gate)));
    CHECK(l.until([&] { return gate.accepted() == 1; }));
}

TEST_CASE("while the notification to itself is on its way") {
    const postgres_server server;
    support::tcp_gate gate(server.port());
    listening l(patient(through(gate)));
    // The second connection is the one that notifies.
    CHECK(l.until([&] {
        if (gate.accepted() == 2) gate.stall();
        return gate.accepted() == 2;
    }));
    for (int i = 0; i < 20; ++i)
        l.loop().context().run_one_for(5ms);
    CHECK_FALSE(l.status().listening);
}

TEST_CASE("while a catch-up query runs") {
    const postgres_server server;
    auto s = patient(server.url());
    s.catch_ups = {"SELECT 'late' FROM pg_sleep(600) WHERE $1::timestamptz IS NOT NULL"};
    listening l(s);
    support::sql admin(server.url());
    CHECK(l.until(
        [&] { return !admin.rows("SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep'").empty(); }));
    l.stop();
    l->wake();
}

TEST_CASE("in the pause between two attempts") {
    auto s = patient("host=127.0.0.1 port=" + std::to_string(support::free_port()));
    s.backoff_first = s.backoff_cap = core::milliseconds(600'000);
    listening l(s);
    CHECK(l.until([&] { return l.log().holds("attempt 1 failed"); }));
}

TEST_CASE("while it serves, also in the middle of a heartbeat") {
    const postgres_server server;
    support::tcp_gate gate(server.port());
    auto s = patient(through(gate));
    s.heartbeat = core::milliseconds(10);
    listening l(s);
    REQUIRE(l.until_up());
    gate.stall();
    const auto sent = gate.bytes(support::tcp_gate::direction::to_server);
    l.loop().until([] { return false; }, std::chrono::seconds(1));
    CHECK(gate.bytes(support::tcp_gate::direction::to_server) == sent);
    CHECK(l.status().listening);
}

TEST_CASE("a wake-up that comes after the stop does nothing") {
    const postgres_server server;
    listening l(patient(server.url()));
    l.ready = false;
    REQUIRE(l.until_up());
    l->stop();
    l->wake();
    CHECK(l.until_down());
    l->wake();
}
