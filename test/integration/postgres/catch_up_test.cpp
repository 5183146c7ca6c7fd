// The catch-up queries: order, failures, and that nothing falls into the gap between them and the live
// events.
#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <set>
#include <thread>

#include "listening.hpp"
#include "support/postgres_server.hpp"
#include "support/sql.hpp"
#include "support/tcp_gate.hpp"

using namespace postrider;
using namespace postrider::test;
using support::postgres_server;

using list = std::vector<std::string>;

namespace {

constexpr auto schema =
    "CREATE TABLE messages (id bigserial PRIMARY KEY, at timestamptz NOT NULL DEFAULT clock_timestamp());"
    "CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN PERFORM pg_notify('events', NEW.id::text); RETURN NULL; END $$;"
    "CREATE TRIGGER tell AFTER INSERT ON messages FOR EACH ROW EXECUTE FUNCTION tell();";

constexpr auto all_messages = "SELECT id::text FROM messages WHERE at > $1::timestamptz ORDER BY id";

// A lock that a catch-up query waits for, so that the test decides how long it runs.
constexpr auto gated = "SELECT 'old' FROM pg_advisory_xact_lock_shared(7) WHERE $1::timestamptz IS NOT NULL";

bool is_gated(support::sql& admin) {
    return !admin.rows("SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted").empty();
}
void await_gated(support::sql& admin) {
    while (!is_gated(admin)) {
    }
}

}  // namespace

TEST_CASE("the queries run in order before any live event, from the time the sink names") {
    const postgres_server server;
    auto s = patient(server.url());
    s.catch_ups = {"SELECT unnest(ARRAY['a', NULL, 'b']), 'other column'",
                   "SELECT to_char($1::timestamptz AT TIME ZONE 'UTC', 'YYYY') WHERE true",
                   "SELECT 'x' WHERE false"};
    s.catch_ups[0] += " WHERE $1::timestamptz IS NOT NULL";
    s.catch_ups[2] += " AND $1::timestamptz IS NULL";
    listening l(s);
    l.since = "1999-05-05T00:00:00Z";
    REQUIRE(l.until([&] { return l.completed.size() == 3; }));
    CHECK(l.heard == list{"#0:a", "#0:b", "#1:1999"});
    CHECK(l.completed == std::vector<std::size_t>{0, 1, 2});
    CHECK(l.status().catch_up_error.empty());
}

TEST_CASE("what is notified during a catch-up comes behind its rows") {
    const postgres_server server;
    support::sql writer(server.url());
    writer.run("SELECT pg_advisory_lock(7)");
    auto s = patient(server.url());
    s.catch_ups = {gated};
    listening l(s);
    REQUIRE(l.until_up());
    std::thread other([&] {
        support::sql admin(server.url());
        await_gated(admin);
        for (const auto* payload : {"1", "2", "3"})
            admin.notify("events", payload);
        writer.run("SELECT pg_advisory_unlock(7)");
    });
    CHECK(l.until_heard(4));
    other.join();
    CHECK(l.heard == list{"#0:old", "events:1", "events:2", "events:3"});
}

TEST_CASE("nothing is lost while events are written all the time and the server is restarted") {
    postgres_server server;
    support::sql(server.url()).run(schema);
    auto s = patient(server.url());
    s.catch_ups = {all_messages};
    listening l(s);
    std::atomic<bool> enough{false};
    std::set<std::string> written;
    std::thread writer([&] {
        while (!enough) {
            try {
                support::sql connection(server.url());
                while (!enough)
                    written.insert(
                        connection.rows("INSERT INTO messages DEFAULT VALUES RETURNING id").at(0).at(0));
            } catch (const std::exception&) {
                // The server is away: the next connection may find it back.
                std::this_thread::yield();
            }
        }
    });
    for (std::size_t round = 0; round < 3; ++round) {
        CHECK(l.until([&] { return l.completed.size() == round + 1; }));
        const auto before = l.heard.size();
        CHECK(l.until_heard(before + 200));
        server.restart();
        CHECK(l.until([&] { return l.status().reconnects == round + 1; }));
    }
    CHECK(l.until([&] { return l.completed.size() == 4; }));
    enough = true;
    writer.join();
    const auto seen = [&] {
        std::set<std::string> ids;
        for (const auto& event : l.heard)
            ids.insert(event.substr(event.find(':') + 1));
        return ids;
    };
    // A commit whose answer was lost may add to what the writer knows of.
    const auto misses = [&] {
        const auto ids = seen();
        return std::any_of(written.begin(), written.end(), [&](const auto& id) { return !ids.contains(id); });
    };
    CHECK(written.size() > 600);
    CHECK(l.until([&] { return !misses(); }));
    CHECK(l.log().count("warning: postgres: connection lost") == 3);
}

TEST_CASE("a query that fails holds no live event back, and is tried again from where the sink says then") {
    const postgres_server server;
    support::sql writer(server.url());
    auto s = patient(server.url());
    s.heartbeat = core::milliseconds(100);
    s.catch_ups = {"SELECT 'second' WHERE $1::timestamptz IS NOT NULL",
                   "SELECT text || to_char($1::timestamptz, ' YYYY') FROM later"};
    listening l(s);
    l.since = "2001-06-01";
    REQUIRE(l.until([&] { return l.log().count("the catch-up query failed") >= 2; }));
    CHECK(l.log().holds("relation \"later\" does not exist"));
    CHECK(l.status().catch_up_error.find("relation \"later\" does not exist") != std::string::npos);
    CHECK(l.completed == std::vector<std::size_t>{0});
    writer.notify("events", "live");
    REQUIRE(l.until_heard(2));
    CHECK(l.heard == list{"#0:second", "events:live"});
    CHECK(l.status().listening);

    l.since = "2020-06-01";
    SUBCASE("in the same session") {}
    SUBCASE("in the next session") {
        writer.run(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'postrider'");
        REQUIRE(l.until([&] { return l.status().reconnects == 1; }));
    }
    writer.run("BEGIN; CREATE TABLE later (text text); INSERT INTO later VALUES ('found'); COMMIT");
    REQUIRE(l.until([&] { return !l.completed.empty() && l.completed.back() == 1; }));
    CHECK(std::count(l.heard.begin(), l.heard.end(), "#1:found 2020") == 1);
    CHECK(l.status().catch_up_error.empty());
}

TEST_CASE("a query that takes too long holds no live event back, and does not end the session") {
    const postgres_server server;
    auto s = patient(server.url());
    s.catch_up_timeout = core::milliseconds(100);
    s.catch_ups = {"SELECT 'late' FROM pg_sleep(600) WHERE $1::timestamptz IS NOT NULL"};
    listening l(s);
    REQUIRE(l.until([&] { return l.log().holds("canceling statement due to statement timeout"); }));
    support::sql(server.url()).notify("events", "live");
    REQUIRE(l.until_heard(1));
    CHECK(l.heard == list{"events:live"});
    CHECK(l.status().reconnects == 0);
    CHECK(l.completed.empty());
}

TEST_CASE(
    "a connection that dies during a catch-up begins it again, and keeps what was held back behind it") {
    const postgres_server server;
    support::sql lock(server.url());
    lock.run("SELECT pg_advisory_lock(7)");
    auto s = patient(server.url());
    s.catch_ups = {"SELECT 'first' WHERE $1::timestamptz IS NOT NULL", gated};
    listening l(s);
    l.ready = false;
    REQUIRE(l.until_up());
    support::sql admin(server.url());
    admin.notify("events", "held");
    REQUIRE(l.until([&] { return l.held.size() == 1; }));
    l.ready = true;
    l->wake();
    std::thread other([&] {
        await_gated(admin);
        admin.run(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'postrider'");
    });
    CHECK(l.until([&] { return l.status().reconnects == 1; }));
    other.join();
    CHECK(l.heard == list{"#0:first"});
    lock.run("SELECT pg_advisory_unlock(7)");
    REQUIRE(l.until_heard(4));
    CHECK(l.heard == list{"#0:first", "#0:first", "#1:old", "events:held"});
}

TEST_CASE("rows are handed over as they are found, and only then what was notified meanwhile") {
    const postgres_server server;
    support::sql lock(server.url());
    lock.run("SELECT pg_advisory_lock(7)");
    auto s = patient(server.url());
    // The server sends when its buffer of 8 kB is full.
    s.catch_ups = {std::string("SELECT n || repeat('x', 9000) FROM generate_series(1, 100) n UNION ALL ") +
                   gated};
    listening l(s);
    REQUIRE(l.until_heard(99));
    support::sql(server.url()).notify("events", "live");
    lock.run("SELECT pg_advisory_unlock(7)");
    REQUIRE(l.until_heard(102));
    CHECK(l.heard[100] == "#0:old");
    CHECK(l.heard[101] == "events:live");
}

TEST_CASE("a connection that is half open during a catch-up is found by the heartbeat") {
    const postgres_server server;
    support::sql lock(server.url());
    lock.run("SELECT pg_advisory_lock(7)");
    support::tcp_gate gate(server.port());
    auto s = patient("host=127.0.0.1 user=postgres dbname=postgres port=" + std::to_string(gate.port()));
    s.heartbeat = core::milliseconds(100);
    s.heartbeat_timeout = core::milliseconds(500);
    s.catch_ups = {gated};
    listening l(s);
    REQUIRE(l.until_up());
    support::sql admin(server.url());
    REQUIRE(l.until([&] { return is_gated(admin); }));
    gate.stall();
    const auto silent = std::chrono::steady_clock::now();
    REQUIRE(l.until_down());
    // 600 ms by the settings, where the query itself may take ten minutes; a busy machine may need longer.
    CHECK(std::chrono::steady_clock::now() - silent < std::chrono::seconds(15));
    CHECK(l.log().holds("the connection is half open: no answer to a heartbeat within 500 ms"));
    gate.pass();
    gate.cut();
    lock.run("SELECT pg_advisory_unlock(7)");
    REQUIRE(l.until_heard(1));
    CHECK(l.heard == list{"#0:old"});
}

TEST_CASE("a catch-up whose own connection dies is run again, while the session goes on listening") {
    const postgres_server server;
    support::sql lock(server.url());
    lock.run("SELECT pg_advisory_lock(7)");
    auto s = patient(server.url());
    s.catch_ups = {"SELECT 'first' WHERE $1::timestamptz IS NOT NULL", gated};
    listening l(s);
    support::sql admin(server.url());
    REQUIRE(l.until([&] { return is_gated(admin); }));
    CHECK_FALSE(l.status().live);
    admin.notify("events", "held");
    admin.run("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted");
    REQUIRE(l.until([&] { return l.log().holds("warning: postgres: the catch-up broke off: "); }));
    CHECK(l.status().catch_up_error.find("terminating connection") != std::string::npos);
    CHECK(l.heard == list{"#0:first"});
    lock.run("SELECT pg_advisory_unlock(7)");
    REQUIRE(l.until_heard(3));
    CHECK(l.heard == list{"#0:first", "#1:old", "events:held"});
    CHECK(l.status().live);
    CHECK(l.status().catch_up_error.empty());
    CHECK(l.status().reconnects == 0);
}

TEST_CASE("a query that is no SELECT does not keep the others from running") {
    const postgres_server server;
    auto s = patient(server.url());
    s.catch_ups = {"COPY (SELECT 1) TO STDOUT", "SELECT 'second' WHERE $1::timestamptz IS NOT NULL"};
    listening l(s);
    REQUIRE(l.until([&] { return l.status().live; }));
    CHECK(l.heard == list{"#1:second"});
    CHECK(l.status().catch_up_error.find("bind message supplies 1 parameters") != std::string::npos);
    CHECK(l.status().listening);
}
