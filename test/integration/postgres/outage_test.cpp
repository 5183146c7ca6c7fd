// How a listener finds out that its session is gone, comes back, and says so.
#include <doctest/doctest.h>

#include <chrono>

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
    return "host=127.0.0.1 user=postgres dbname=postgres port=" + std::to_string(gate.port());
}

constexpr auto end_sessions =
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'postrider'";

}  // namespace

TEST_CASE("after a restart of the server the listener is back, and says how long it was away") {
    postgres_server server;
    listening l(patient(server.url()));
    REQUIRE(l.until_up());
    const auto before = std::chrono::steady_clock::now();
    server.stop();
    REQUIRE(l.until_down());
    CHECK(l.status().last_error.find("terminating connection due to administrator command") !=
          std::string::npos);
    CHECK(l.log().count("warning: postgres: connection lost: ") == 1);
    // Attempts are counted from one within each outage.
    REQUIRE(l.until([&] { return l.log().holds("error: postgres: attempt 3 failed: "); }));
    CHECK(l.log().count("attempt 1 failed") == 1);
    CHECK(l.log().holds("Connection refused"));
    CHECK(l.log().holds("; next in "));
    CHECK(l.status().last_error.find("Connection refused") != std::string::npos);
    CHECK_FALSE(l.status().latency.has_value());
    server.start();
    REQUIRE(l.until_up());
    const auto after = std::chrono::steady_clock::now();
    CHECK(l.status().reconnects == 1);
    REQUIRE(l.status().outage.has_value());
    CHECK(*l.status().outage > core::milliseconds(0));
    CHECK(*l.status().outage <= after - before);
    CHECK(l.status().last_error.empty());
    CHECK(l.log().count("info: postgres: reconnected to 127.0.0.1:" + std::to_string(server.port()) +
                        " after ") == 1);
    support::sql(server.url()).notify("events", "again");
    REQUIRE(l.until_heard(1));

    server.kill();
    REQUIRE(l.until_down());
    REQUIRE(l.until([&] { return l.log().count("attempt 1 failed") == 2; }));
    server.start();
    REQUIRE(l.until_up());
    CHECK(l.status().reconnects == 2);
}

TEST_CASE("a server that is absent at the start is waited for") {
    postgres_server server;
    server.stop();
    listening l(patient(server.url()));
    REQUIRE(l.until([&] { return l.log().holds("error: postgres: attempt 2 failed: "); }));
    CHECK(l.log().count("warning:") == 0);
    server.start();
    REQUIRE(l.until_up());
    CHECK(l.status().reconnects == 0);
    CHECK(l.log().holds("info: postgres: listening at "));
}

TEST_CASE("the pauses between attempts grow up to their cap") {
    auto s = patient("host=127.0.0.1 port=" + std::to_string(support::free_port()));
    s.backoff_first = core::milliseconds(10);
    s.backoff_cap = core::milliseconds(40);
    listening l(s);
    REQUIRE(l.until([&] { return l.log().holds("attempt 5 failed"); }));
    const auto pause = [&](unsigned attempt) {
        const auto text = l.log().text();
        const auto from = text.find("attempt " + std::to_string(attempt) + " failed");
        const auto words = text.find("next in ", from) + 8;
        return std::stoi(text.substr(words));
    };
    const int most[] = {10, 20, 40, 40, 40};
    for (unsigned attempt = 1; attempt <= 5; ++attempt) {
        CHECK(pause(attempt) <= most[attempt - 1]);
        CHECK(pause(attempt) >= most[attempt - 1] * 3 / 4);
    }
}

TEST_CASE("a session that was ended from outside is replaced") {
    const postgres_server server;
    listening l(patient(server.url()));
    REQUIRE(l.until_up());
    support::sql admin(server.url());
    admin.run(end_sessions);
    REQUIRE(l.until([&] { return l.status().reconnects == 1; }));
    CHECK(l.log().holds("terminating connection due to administrator command"));
    admin.notify("events", "again");
    REQUIRE(l.until_heard(1));
}

TEST_CASE("a half-open connection is found by the heartbeat, whichever direction is silent") {
    const postgres_server server;
    support::tcp_gate gate(server.port());
    auto s = patient(through(gate));
    s.heartbeat = core::milliseconds(100);
    s.heartbeat_timeout = core::milliseconds(500);
    listening l(s);
    REQUIRE(l.until_up());
    SUBCASE("both") {
        gate.stall();
    }
    SUBCASE("to the server") {
        gate.stall(support::tcp_gate::direction::to_server);
    }
    SUBCASE("to the client") {
        gate.stall(support::tcp_gate::direction::to_client);
    }
    const auto silent = std::chrono::steady_clock::now();
    REQUIRE(l.until_down());
    const auto found = std::chrono::steady_clock::now() - silent;
    CHECK(l.log().holds("warning: postgres: connection lost: 127.0.0.1:" + std::to_string(gate.port()) +
                        ": the connection is half open: no answer to a heartbeat within 500 ms"));
    // 600 ms by the settings; a busy machine may need longer.
    CHECK(found < std::chrono::seconds(15));
    gate.pass();
    gate.cut();
    // With so short a limit a busy machine may lose it once more.
    support::sql writer(server.url());
    REQUIRE(l.until([&] {
        if (l.status().listening) writer.notify("events", "again");
        return !l.heard.empty();
    }));
}

TEST_CASE("a session that no longer listens to all its channels is replaced") {
    const postgres_server server;
    support::sql admin(server.url());
    // Nobody else can take a session's channels away, so the very question does it, the third time it is
    // asked.
    admin.run(
        "CREATE SEQUENCE times; CREATE SCHEMA mine; CREATE FUNCTION mine.pg_listening_channels() RETURNS "
        "SETOF text LANGUAGE plpgsql AS $$ BEGIN IF nextval('public.times') = 3 THEN UNLISTEN events; END "
        "IF; "
        "RETURN QUERY SELECT pg_catalog.pg_listening_channels(); END $$");
    auto s = patient(server.url() + "?options=-csearch_path%3Dmine%2Cpg_catalog", {"events", "others"});
    s.heartbeat = core::milliseconds(50);
    listening l(s);
    REQUIRE(l.until([&] { return l.status().reconnects == 1; }));
    CHECK(l.log().holds("the session no longer listens to all 3 channels"));
    REQUIRE(l.until_up());
    admin.notify("events", "again");
    REQUIRE(l.until_heard(1));
}

TEST_CASE("a quiet connection that answers its heartbeats stays") {
    const postgres_server server;
    auto s = patient(server.url());
    s.heartbeat = core::milliseconds(10);
    listening l(s);
    REQUIRE(l.until_up());
    support::sql admin(server.url());
    const auto asked =
        "SELECT 1 FROM pg_stat_activity WHERE query LIKE '%pg_listening_channels%' AND pid <> "
        "pg_backend_pid() AND query_start > backend_start + interval '500 ms'";
    REQUIRE(l.until([&] { return !admin.rows(asked).empty(); }));
    CHECK(l.status().listening);
    CHECK(l.log().count("warning:") == 0);
}

TEST_CASE("events heard just before the connection is cut are not lost") {
    const postgres_server server;
    support::tcp_gate gate(server.port());
    listening l(patient(through(gate)));
    REQUIRE(l.until_up());
    const auto before = gate.bytes(support::tcp_gate::direction::to_client);
    support::sql(server.url())
        .run(
            "SELECT count(pg_notify('events', repeat(n::text, 50))) FROM "
            "generate_series(1000, 1199) n");
    // 200 bytes and more each, which together fit into a socket's buffer: all of it has passed the gate, and
    // the loop has not turned since.
    while (gate.bytes(support::tcp_gate::direction::to_client) < before + 200 * 217) {
    }
    gate.refuse();
    REQUIRE(l.until_down());
    CHECK(l.heard.size() == 200);
}

TEST_CASE("of several hosts the listener takes the next when one dies") {
    postgres_server first;
    const postgres_server second;
    listening l(patient("host=127.0.0.1,127.0.0.1 user=postgres dbname=postgres port=" +
                        std::to_string(first.port()) + "," + std::to_string(second.port())));
    REQUIRE(l.until_up());
    first.stop();
    REQUIRE(l.until([&] { return l.status().reconnects == 1; }));
    CHECK(l.log().holds("reconnected to 127.0.0.1:" + std::to_string(second.port())));
    support::sql(second.url()).notify("events", "again");
    REQUIRE(l.until_heard(1));
}
