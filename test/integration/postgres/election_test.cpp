// One of several listeners of a name leads, and all of them hear the same.
#include "postgres/election.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <future>

#include "listening.hpp"
#include "support/eventually.hpp"
#include "support/postgres_server.hpp"
#include "support/sql.hpp"

using namespace postrider;
using namespace postrider::test;
using support::postgres_server;

using list = std::vector<std::string>;

namespace {

const postgres_server& server() {
    static const postgres_server shared;
    return shared;
}

postgres::listener_settings of(const std::string& name) {
    auto s = patient(server().url());
    s.name = name;
    s.stand_interval = core::milliseconds(50);
    return s;
}

bool leads(listening& l, std::size_t times = 1) {
    return l.until([&] { return l.status().leads && l.elections == times; });
}

bool stands_by(listening& l, std::size_t times = 1) {
    return l.until([&] { return l.status().stands_by && l.stand_bys == times; });
}

// The processes in Postgres that hold the name's lock, one at most.
std::vector<std::vector<std::string>> holders(const std::string& name) {
    support::sql s(server().url());
    return s.rows(
        "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND mode = 'ExclusiveLock' AND granted "
        "AND ((classid::bigint << 32) | objid::bigint) = $1",
        {postgres::election(name).key()});
}

std::string holder(const std::string& name) {
    const auto found = holders(name);
    REQUIRE(found.size() == 1);
    return found[0][0];
}

// A process that has ended may hold it a moment longer than its client lives.
bool is_free(const std::string& name) {
    return support::eventually([&] { return holders(name).empty(); });
}

}  // namespace

TEST_CASE("of two of a name the first leads, and the other once the first's session has ended") {
    REQUIRE(is_free("however"));
    listening second(of("however"));
    listening first(of("however"));
    REQUIRE(leads(first));
    REQUIRE(stands_by(second));
    CHECK(second.elections == 0);
    CHECK(first.stand_bys == 0);
    SUBCASE("because it was stopped") {
        first.stop();
        REQUIRE(leads(second));
    }
    SUBCASE("because Postgres has ended it") {
        support::sql(server().url()).rows("SELECT pg_terminate_backend($1::int)", {holder("however")});
        REQUIRE(leads(second));
        REQUIRE(stands_by(first));
        CHECK(first.elections == 1);
    }
    SUBCASE("because it resigned") {
        first->resign();
        REQUIRE(first.until_down());
        REQUIRE(leads(second));
        REQUIRE(stands_by(first));
        CHECK(first.elections == 1);
    }
    CHECK(second.stand_bys == 1);
}

TEST_CASE(
    "who has just started leaves the lead to a standby that is in sync, and is next where there is none") {
    auto of_heirs = of("heirs");
    listening leader(of_heirs);
    REQUIRE(leads(leader));
    listening heir(of_heirs);
    heir.in_sync = true;
    support::sql s(server().url());
    const auto shared = "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND mode = 'ShareLock'";
    REQUIRE(heir.until([&] { return !s.rows(shared).empty(); }));
    listening newcomer(of_heirs);
    REQUIRE(stands_by(newcomer));
    // The heir's loop stands still while another's turns.
    leader.stop();
    CHECK_FALSE(newcomer.until([&] { return newcomer.status().leads; }, std::chrono::seconds(1)));
    REQUIRE(leads(heir));
    heir.stop();
    REQUIRE(leads(newcomer));
}

TEST_CASE("who resigns alone stands anew, in a session of its own") {
    listening l(of("alone"));
    REQUIRE(leads(l));
    const auto before = holder("alone");
    l->resign();
    REQUIRE(l.until_down());
    REQUIRE(is_free("alone"));
    REQUIRE(leads(l, 2));
    CHECK(holder("alone") != before);
    CHECK(l.markers.size() == 2);
    CHECK(l.stand_bys == 0);
}

TEST_CASE("different names do not disturb each other, and without a name everybody leads") {
    listening a(of("a"));
    listening b(of("b"));
    listening c(of(""));
    listening d(of(""));
    for (auto* l : {&a, &b, &c, &d})
        CHECK(leads(*l));
    const auto markers = a.markers;
    CHECK(markers.size() == 1);
    CHECK(b.markers.size() == 1);
    CHECK(b.markers != markers);
}

TEST_CASE("a leader that is silent for too long loses its session, and the standby leads") {
    auto s = of("silent");
    s.heartbeat = s.heartbeat_timeout = core::milliseconds(500);
    listening leader(s);
    REQUIRE(leads(leader));
    s.heartbeat_timeout = core::milliseconds(600'000);
    listening standby(s);
    // From here on the leader's loop stands still, as that of a stopped process; its socket stays open.
    REQUIRE(standby.until([&] { return standby.status().leads; }));
    CHECK(leader.status().leads);
    REQUIRE(leader.until_down());
    REQUIRE(stands_by(leader));
}

TEST_CASE(
    "a session that asks for signs of life in time is not ended, neither the leader's nor the standby's") {
    auto s = of("busy");
    s.heartbeat = core::milliseconds(100);
    s.heartbeat_timeout = core::milliseconds(5'900);
    listening leader(s);
    REQUIRE(leads(leader));
    leader.until([] { return false; }, std::chrono::seconds(7));
    CHECK(leader.status().leads);
    CHECK(leader.status().reconnects == 0);
}

TEST_CASE("every listener of a name hears the markers at the same place between the events") {
    support::sql writer(server().url());
    listening first(of("markers"));
    REQUIRE(first.until_up());
    writer.notify("events", "1");
    listening second(of("markers"));
    REQUIRE(second.until_up());
    writer.notify("events", "2");
    listening third(of("markers"));
    REQUIRE(third.until_up());
    writer.notify("events", "3");
    for (auto* l : {&first, &second, &third})
        REQUIRE(l->until([l] { return !l->transcript.empty() && l->transcript.back() == "events:3"; }));
    REQUIRE(first.markers.size() == 3);
    const auto& m = first.markers;
    CHECK(first.transcript == list{"!" + m[0], "events:1", "!" + m[1], "events:2", "!" + m[2], "events:3"});
    CHECK(second.transcript == list{"!" + m[1], "events:2", "!" + m[2], "events:3"});
    CHECK(third.transcript == list{"!" + m[2], "events:3"});
}

TEST_CASE(
    "who is deposed during a catch-up takes nothing that was held back, and does so in the next session") {
    auto s = of("deposed");
    s.catch_ups = {"SELECT n::text FROM generate_series(1, 3) n WHERE $1::timestamptz IS NOT NULL"};
    listening l(s);
    l.ready = false;
    REQUIRE(l.until_up());
    support::sql writer(server().url());
    writer.notify("events", "held");
    REQUIRE(l.until([&] { return l.held.size() == 1; }));
    l.on_event = [&] {
        l.ready = false;
        l->resign();
    };
    l.ready = true;
    l->wake();
    REQUIRE(l.until_down());
    CHECK(l.heard == list{"#0:1", "#0:2", "#0:3"});
    CHECK(l.held == list{"events:held"});
    l.on_event = {};
    l.ready = true;
    REQUIRE(l.until([&] { return l.status().live; }));
    CHECK(l.heard == list{"#0:1", "#0:2", "#0:3", "#0:1", "#0:2", "#0:3", "events:held"});
}

// Its commit waits for a standby server that there is none of, so it stands in the queue before the LISTEN's
// own notification and becomes visible behind the LISTEN: Postgres delivers it.
TEST_CASE("an event that Postgres delivers in front of the own marker is not passed on") {
    const postgres_server slow(
        {.configuration = {"synchronous_standby_names = 'nobody'", "synchronous_commit = off",
                           "wal_level = replica", "max_wal_senders = 1"}});
    support::sql writer(slow.url());
    support::sql watcher(slow.url());
    writer.run("CREATE TABLE t (x int)");
    writer.run("SET synchronous_commit = on");
    const auto pid = writer.rows("SELECT pg_backend_pid()")[0][0];
    auto early = std::async(std::launch::async, [&] {
        writer.run("BEGIN; INSERT INTO t VALUES (1); NOTIFY events, 'early'; COMMIT");
    });
    const auto waits = [&](const std::string& condition) {
        return support::eventually(
            [&] { return !watcher.rows("SELECT 1 FROM pg_stat_activity WHERE " + condition).empty(); });
    };
    REQUIRE(waits("wait_event = 'SyncRep' AND pid = " + pid));
    auto s = of("early");
    s.conninfo = slow.url();
    listening l(s);
    REQUIRE(l.until([&] {
        return !watcher.rows("SELECT 1 FROM pg_locks WHERE locktype = 'object' AND NOT granted").empty();
    }));
    watcher.rows("SELECT pg_cancel_backend($1::int)", {pid});
    early.get();
    REQUIRE(l.until_up());
    watcher.notify("events", "late");
    REQUIRE(l.until([&] { return l.transcript.size() >= 2; }));
    CHECK(l.transcript == list{"!" + l.markers.at(0), "events:late"});
}
