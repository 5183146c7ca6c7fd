// Events that wait in Postgres.
#include "postgres/parking.hpp"

#include <doctest/doctest.h>

#include "postgres/election.hpp"
#include "support/eventually.hpp"
#include "support/loop.hpp"
#include "support/postgres_server.hpp"
#include "support/sql.hpp"

using namespace postrider;
using namespace postrider::test;

using list = std::vector<std::string>;

namespace {

const support::postgres_server& server() {
    static const support::postgres_server shared;
    return shared;
}

event::parked one(std::string channel, std::uint64_t number, std::string payload) {
    event::parked p;
    p.channel = std::move(channel);
    p.payload = std::move(payload);
    p.numbers = {{"r", number}, {"s", number + 100}};
    return p;
}

// A database of its own, a session that holds the name's lock, and the parking of that name.
struct lot {
    explicit lot(std::string user = "postgres", core::milliseconds statement_timeout = 60s) {
        support::sql owner(server().url());
        owner.run("DROP DATABASE IF EXISTS lot WITH (FORCE)");
        owner.run("CREATE DATABASE lot");
        if (user != "postgres") owner.run("DROP ROLE IF EXISTS " + user + "; CREATE ROLE " + user + " LOGIN");
        postgres::parking_settings s;
        s.conninfo = "host=127.0.0.1 dbname=lot user=" + user + " port=" + std::to_string(server().port());
        s.name = "chat";
        s.connect_timeout = 60s;
        s.statement_timeout = statement_timeout;
        p.emplace(s, [this] { return leader; });
        elect("chat");
    }
    void elect(const std::string& name) {
        holder.run("SELECT pg_advisory_unlock_all()");
        holder.run("SELECT pg_advisory_lock(" + postgres::election(name).key() + ")");
        leader = std::stoi(holder.rows("SELECT pg_backend_pid()")[0][0]);
    }
    core::result<bool> write(std::vector<event::parked> events) {
        return loop.value_of(p->write(std::move(events)));
    }
    bool writes(std::vector<event::parked> events) {
        const auto done = write(std::move(events));
        CHECK_MESSAGE(done.has_value(), (done ? "" : done.error().message));
        return done && *done;
    }
    std::vector<event::parked> read(std::int64_t id = 0, std::size_t limit = 1'000) {
        auto found = loop.value_of(p->read(id, limit));
        REQUIRE_MESSAGE(found.has_value(), (found ? "" : found.error().message));
        return *found;
    }
    list payloads(std::int64_t id = 0, std::size_t limit = 1'000) {
        list all;
        for (const auto& e : read(id, limit))
            all.push_back(e.payload);
        return all;
    }
    std::vector<event::parked_range> ranges() {
        auto found = loop.value_of(p->ranges());
        REQUIRE_MESSAGE(found.has_value(), (found ? "" : found.error().message));
        return *found;
    }

    test::loop loop;
    support::sql holder{server().url("postgres")};
    support::sql database{server().url("lot")};
    int leader = 0;
    std::optional<postgres::parking> p;
};

}  // namespace

TEST_CASE("what is put aside comes back in order, byte for byte, with its numbers") {
    lot t;
    const list payloads{R"({"a":"b\"c\\d"})", "'; DROP TABLE x; --",   "Ünïcödé ☃ 🐎", "",    "{},NULL,\"",
                        "line\nbreak\ttab",   std::string(7'999, 'x'), "\\",          "NULL"};
    std::vector<event::parked> all;
    for (const auto& payload : payloads)
        all.push_back(one("quo\"te'd ☃", all.size() + 1, payload));
    REQUIRE(t.writes(all));
    REQUIRE(t.writes({one("second", 50, "last")}));
    const auto back = t.read();
    REQUIRE(back.size() == payloads.size() + 1);
    for (std::size_t i = 0; i < all.size(); ++i) {
        CHECK(back[i].payload == all[i].payload);
        CHECK(back[i].channel == all[i].channel);
        CHECK(back[i].numbers == all[i].numbers);
    }
    CHECK(back.back().payload == "last");
    for (std::size_t i = 1; i < back.size(); ++i)
        CHECK(back[i - 1].id < back[i].id);
}

TEST_CASE("a thousand at a time keep their order, and are read behind an id and up to a limit") {
    lot t;
    list expected;
    for (int statement = 0; statement < 3; ++statement) {
        std::vector<event::parked> some;
        for (int i = 0; i < 1'000; ++i) {
            expected.push_back(std::to_string(expected.size()));
            some.push_back(one("c", expected.size(), expected.back()));
        }
        REQUIRE(t.writes(some));
    }
    CHECK(t.payloads(0, 10'000) == expected);
    const auto first = t.read(0, 10);
    REQUIRE(first.size() == 10);
    CHECK(t.payloads(first.back().id, 2) == list{"10", "11"});
    const auto done = t.loop.value_of(t.p->forget(first[7].id));
    REQUIRE(done.has_value());
    CHECK(t.payloads(0, 3) == list{"8", "9", "10"});
}

TEST_CASE("the first and the last of each route are known, and those of another bridge are not touched") {
    lot t;
    CHECK(t.ranges().empty());
    auto of_other_routes = one("b", 2, "x");
    of_other_routes.numbers = {{"t", 2}};
    REQUIRE(t.writes({one("a", 1, "x"), of_other_routes, one("a", 3, "x"), one("a", 4, "x")}));
    t.database.run(
        "INSERT INTO postrider.parked (name, channel, numbers, payload) VALUES ('other', 'a', 'r 9', 'o')");
    const auto ends = t.ranges();
    REQUIRE(ends.size() == 3);
    CHECK(event::range_of(ends, "r")->first == 1);
    CHECK(event::range_of(ends, "r")->last == 4);
    CHECK(event::range_of(ends, "s")->first == 101);
    CHECK(event::range_of(ends, "s")->last == 104);
    CHECK(event::range_of(ends, "t")->first == 2);
    CHECK(event::range_of(ends, "t")->last == 2);
    const auto done = t.loop.value_of(t.p->forget(1'000'000));
    REQUIRE(done.has_value());
    CHECK(t.read().empty());
    CHECK(t.ranges().empty());
    CHECK(t.database.rows("SELECT payload FROM postrider.parked") == std::vector<list>{{"o"}});
}

TEST_CASE("who does not hold the name's lock writes nothing") {
    lot t;
    REQUIRE(t.writes({one("a", 1, "first")}));
    SUBCASE("because it does not lead") {
        t.leader = 0;
    }
    SUBCASE("because another session does") {
        t.leader = std::stoi(t.database.rows("SELECT pg_backend_pid()")[0][0]);
    }
    SUBCASE("because it leads under another name") {
        t.elect("other");
    }
    SUBCASE("because its session has given the lock up") {
        t.holder.run("SELECT pg_advisory_unlock_all()");
    }
    CHECK_FALSE(t.writes({one("a", 2, "no"), one("a", 3, "no")}));
    CHECK(t.payloads() == list{"first"});
    // And the refusal leaves nothing behind that would hold the next one up.
    t.elect("chat");
    CHECK(t.writes({one("a", 4, "second")}));
    CHECK(t.payloads() == list{"first", "second"});
}

TEST_CASE("who takes over waits for what is being written, and finds it") {
    lot t;
    REQUIRE(t.writes({one("a", 1, "first")}));
    support::sql former(server().url("lot"));
    former.run("BEGIN");
    former.rows("SELECT pg_advisory_xact_lock_shared($1::bigint)", {postgres::election("parked:chat").key()});
    former.run(
        "INSERT INTO postrider.parked (name, channel, numbers, payload) VALUES ('chat', 'a', 'r 2', 'x')");
    std::optional<core::result<std::vector<event::parked_range>>> found;
    asio::co_spawn(t.loop.context(), t.p->ranges(),
                   [&](const std::exception_ptr& error, core::result<std::vector<event::parked_range>> r) {
                       CHECK(!error);
                       found.emplace(std::move(r));
                   });
    const auto waits = "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted";
    CHECK(t.loop.until([&] { return found || !t.database.rows(waits).empty(); }));
    CHECK_FALSE(found);
    former.run("COMMIT");
    REQUIRE(t.loop.until([&] { return found.has_value(); }));
    REQUIRE(found->has_value());
    CHECK(event::range_of(**found, "r")->last == 2);
    // What it waited with is given back.
    CHECK(t.writes({one("a", 3, "later")}));
}

TEST_CASE("a missing table holds nothing, and the first event makes it") {
    lot t;
    CHECK(t.ranges().empty());
    CHECK(t.database.rows("SELECT to_regclass('postrider.parked')")[0][0].empty());
    CHECK_FALSE(t.loop.value_of(t.p->read(0, 1)).has_value());
    CHECK(t.ranges().empty());
    CHECK(t.writes({one("a", 1, "x")}));
    CHECK_FALSE(t.p->missing());
    CHECK(t.payloads() == list{"x"});
}

TEST_CASE("a user who may not create the table is told how to mend it, and writes once it is there") {
    lot t("plain");
    CHECK(t.ranges().empty());
    const auto refused = t.write({one("a", 1, "x")});
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().message.find("postrider schema --apply --grant-to plain") != std::string::npos);
    CHECK(t.p->missing());
    {
        postgres::parking owner({.conninfo = server().url("lot"), .name = "other"},
                                [&t] { return t.leader; });
        const auto made = t.loop.value_of(owner.write({one("a", 1, "x")}));
        REQUIRE(made.has_value());
    }
    t.database.run(
        "GRANT USAGE ON SCHEMA postrider TO plain;"
        "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA postrider TO plain");
    CHECK(t.writes({one("a", 1, "x")}));
    CHECK_FALSE(t.p->missing());
    CHECK(t.payloads() == list{"x"});
}

TEST_CASE("rights that were withdrawn are told, with the mend, and never taken for an empty table") {
    lot t("plain");
    t.database.run(
        "CREATE SCHEMA postrider; GRANT USAGE ON SCHEMA postrider TO plain;"
        "CREATE TABLE postrider.parked (id bigint, name text, channel text, numbers text, payload text);"
        "INSERT INTO postrider.parked VALUES (1, 'chat', 'a', 'r 1', 'x')");
    SUBCASE("on the table") {}
    SUBCASE("on the schema") {
        t.database.run(
            "GRANT SELECT ON postrider.parked TO plain; REVOKE USAGE ON SCHEMA postrider FROM plain");
    }
    const auto refused = t.loop.value_of(t.p->ranges());
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().message.find("permission denied for ") != std::string::npos);
    CHECK(refused.error().message.find("postrider schema --apply --grant-to plain") != std::string::npos);
    t.database.run("GRANT USAGE ON SCHEMA postrider TO plain; GRANT SELECT ON postrider.parked TO plain");
    CHECK(t.ranges().size() == 1);
}

TEST_CASE("what is put back stands in front of all that is there, in its order, each time anew") {
    lot t;
    const auto single = [](std::string route, std::uint64_t number) {
        event::parked p = one("a", 0, route + std::to_string(number));
        p.numbers = {{route, number}};
        return p;
    };
    const auto put_back = [&](std::vector<event::parked> events) {
        const auto done = t.loop.value_of(t.p->put_back(std::move(events)));
        REQUIRE_MESSAGE(done.has_value(), (done ? "" : done.error().message));
        return *done;
    };
    CHECK(put_back({single("r", 7), single("s", 103)}));
    CHECK(t.payloads(event::parked::no_id) == list{"r7", "s103"});
    REQUIRE(t.writes({one("a", 10, "later")}));
    CHECK(put_back({single("r", 4), single("r", 5), single("s", 90)}));
    const auto all = t.read(event::parked::no_id);
    REQUIRE(all.size() == 6);
    CHECK(t.payloads(event::parked::no_id) == list{"r4", "r5", "s90", "r7", "s103", "later"});
    for (std::size_t i = 0; i < all.size(); ++i)
        CHECK(all[i].was_taken() == (i < 5));
    CHECK(t.payloads(all[1].id, 2) == list{"s90", "r7"});
    CHECK(event::range_of(t.ranges(), "r")->first == 4);
    CHECK(event::range_of(t.ranges(), "r")->last == 10);
    CHECK(event::range_of(t.ranges(), "s")->first == 90);
    CHECK(event::range_of(t.ranges(), "s")->last == 110);
    SUBCASE("but not by one who does not lead") {
        t.leader = 0;
        CHECK_FALSE(put_back({single("r", 1)}));
    }
    SUBCASE("beside that of another name") {
        postgres::parking_settings s;
        s.conninfo = server().url("lot");
        s.name = "other";
        t.elect("other");
        postgres::parking other(s, [&t] { return t.leader; });
        const auto done = t.loop.value_of(other.put_back({single("r", 1), single("r", 2)}));
        REQUIRE_MESSAGE(done.has_value(), (done ? "" : done.error().message));
        CHECK(*done);
        CHECK(t.read(event::parked::no_id).size() == 6);
    }
}

TEST_CASE("a lost connection fails one call, and the next one opens it again") {
    lot t;
    REQUIRE(t.writes({one("a", 1, "first")}));
    const auto end =
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'lot' "
        "AND pid <> pg_backend_pid()";
    t.database.run(end);
    CHECK_FALSE(t.write({one("a", 2, "second")}).has_value());
    CHECK(t.payloads() == list{"first"});
    CHECK(t.writes({one("a", 2, "second")}));
    t.database.run(end);
    CHECK_FALSE(t.loop.value_of(t.p->ranges()).has_value());
    CHECK(t.ranges().size() == 2);
    CHECK(t.payloads() == list{"first", "second"});
    t.database.run(end);
    CHECK_FALSE(t.loop.value_of(t.p->forget(0)).has_value());
    CHECK(t.payloads() == list{"first", "second"});
}

TEST_CASE("a statement that is refused within a transaction fails one call, and the next ones are done") {
    lot t;
    // Of every session that begins from here on: nothing else has to wait for a lock.
    t.database.run("ALTER DATABASE lot SET lock_timeout = '100ms'");
    REQUIRE(t.writes({one("a", 1, "first")}));
    t.database.rows("SELECT pg_advisory_lock($1::bigint)", {postgres::election("parked:chat").key()});
    std::string refusal;
    const auto note = [&](const auto& done) {
        REQUIRE_FALSE(done.has_value());
        refusal = done.error().message;
    };
    SUBCASE("a write") {
        note(t.write({one("a", 9, "no")}));
    }
    SUBCASE("a write in front") {
        note(t.loop.value_of(t.p->put_back({one("a", 9, "no")})));
    }
    SUBCASE("a look for what is there") {
        note(t.loop.value_of(t.p->ranges()));
    }
    CHECK(refusal.find("lock timeout") != std::string::npos);
    t.database.run("SELECT pg_advisory_unlock_all()");
    CHECK(t.payloads(event::parked::no_id) == list{"first"});
    CHECK(t.writes({one("a", 2, "second")}));
    CHECK(event::range_of(t.ranges(), "r")->last == 2);
}

TEST_CASE("a table that cannot be made yet, because others hold its lock, is not taken for missing") {
    const auto hold = "SELECT pg_advisory_lock(hashtextextended('postrider.schema', 0))";
    SUBCASE("and the server refuses to wait") {
        lot t;
        t.database.run("ALTER DATABASE lot SET lock_timeout = '100ms'");
        t.database.run(hold);
        const auto refused = t.write({one("a", 1, "x")});
        REQUIRE_FALSE(refused.has_value());
        CHECK(refused.error().message.find("lock timeout") != std::string::npos);
        CHECK_FALSE(t.p->missing());
        t.database.run("SELECT pg_advisory_unlock_all()");
        CHECK(t.writes({one("a", 1, "x")}));
    }
    SUBCASE("and no answer comes in time") {
        lot t("postgres", 1s);
        t.database.run(hold);
        CHECK_FALSE(t.write({one("a", 1, "x")}).has_value());
        CHECK_FALSE(t.p->missing());
        t.database.run("SELECT pg_advisory_unlock_all()");
        // A second may be too short on a busy machine, but not each time.
        CHECK(support::eventually([&] { return t.write({one("a", 1, "x")}).has_value(); }, 60s));
    }
}

TEST_CASE("a table that was dropped is made anew") {
    lot t;
    REQUIRE(t.writes({one("a", 1, "first")}));
    t.database.run("DROP SCHEMA postrider CASCADE");
    CHECK_FALSE(t.write({one("a", 2, "second")}).has_value());
    CHECK(t.writes({one("a", 2, "second")}));
    CHECK(t.payloads() == list{"second"});
}

TEST_CASE("a look for what is there that takes longer than any statement may gets more time until it ends") {
    lot t("postgres", 250ms);
    REQUIRE(support::eventually([&] { return t.write({one("a", 1, "x"), one("a", 2, "x")}).has_value(); }));
    // A table that is slow to read, however often it is tried; and the user has a limit of its own.
    t.database.run(
        "ALTER TABLE postrider.parked RENAME TO events;"
        "CREATE FUNCTION postrider.slowly(text) RETURNS text LANGUAGE plpgsql VOLATILE AS "
        "'BEGIN PERFORM pg_sleep(0.2); RETURN $1; END';"
        "CREATE VIEW postrider.parked AS SELECT id, name, channel, postrider.slowly(numbers) AS numbers, "
        "payload "
        "FROM postrider.events;"
        "ALTER DATABASE lot SET statement_timeout = '250ms'");
    t.p->close();
    int failed = 0;
    std::vector<event::parked_range> ranges;
    REQUIRE(support::eventually([&] {
        auto found = t.loop.value_of(t.p->ranges());
        if (found) ranges = *found;
        failed += found ? 0 : 1;
        return found.has_value();
    }));
    CHECK(failed > 0);
    REQUIRE(event::range_of(ranges, "r") != nullptr);
    CHECK(event::range_of(ranges, "r")->last == 2);
}

TEST_CASE("a look that was given up is ended by the server too, and its lock is in nobody's way") {
    lot t("postgres", 250ms);
    REQUIRE(support::eventually([&] { return t.write({one("a", 1, "x")}).has_value(); }));
    t.database.run("BEGIN");
    t.database.run("LOCK TABLE postrider.parked IN ACCESS EXCLUSIVE MODE");
    const auto waits = [&] {
        return !t.holder
                    .rows(
                        "SELECT 1 FROM pg_stat_activity WHERE datname = 'lot' AND wait_event_type = 'Lock' "
                        "AND wait_event = 'relation'")
                    .empty();
    };
    // A quarter of a second may be too short to come so far on a busy machine, but not each time.
    bool waited = false;
    REQUIRE(support::eventually([&] {
        std::optional<bool> found;
        asio::co_spawn(t.loop.context(), t.p->ranges(), [&](const std::exception_ptr& error, const auto& r) {
            found = !error && r.has_value();
        });
        REQUIRE(t.loop.until([&] {
            waited = waited || waits();
            return found.has_value();
        }));
        CHECK_FALSE(*found);
        return waited;
    }));
    CHECK(support::eventually([&] { return !waits(); }));
    t.database.run("COMMIT");
}
