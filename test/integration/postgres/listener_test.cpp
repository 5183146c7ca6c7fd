// What a listener hears, and how it comes up.
#include <doctest/doctest.h>

#include "listening.hpp"
#include "support/pgbouncer.hpp"
#include "support/postgres_server.hpp"
#include "support/sql.hpp"

using namespace postrider;
using namespace postrider::test;
using support::postgres_server;

using list = std::vector<std::string>;

TEST_CASE("a listener hears its channels, and only those, from the moment it says that it listens") {
    const postgres_server server;
    support::sql writer(server.url());
    writer.notify("a", "before");
    listening l(patient(server.url(), {"b", "a", "b"}));
    CHECK_FALSE(l.status().listening);
    REQUIRE(l.until_up());
    CHECK(l.status().latency.has_value());
    CHECK_FALSE(l.status().outage.has_value());
    CHECK(l.changes == 1);
    CHECK(l.log().holds("info: postgres: listening at 127.0.0.1:" + std::to_string(server.port()) +
                        " to a, b"));
    writer.notify("a", "1");
    writer.notify("c", "not mine");
    writer.notify("A", "not mine either");
    writer.notify("b", "2");
    writer.notify("a", "3");
    REQUIRE(l.until_heard(3));
    CHECK(l.heard == list{"a:1", "b:2", "a:3"});
    CHECK(l.log().count("error:") == 0);
}

TEST_CASE("channels may have any name that Postgres takes") {
    const postgres_server server;
    support::sql writer(server.url());
    const list channels{"quo\"te",   "apo'strophe", "semi;colon -- ",     "Ünïcödé ☃", "select",
                        "CamelCase", "back\\slash", std::string(63, 'x'), " "};
    listening l(patient(server.url(), channels));
    REQUIRE(l.until_up());
    list expected;
    for (const auto& channel : channels) {
        writer.notify(channel, "hello");
        expected.push_back(channel + ":hello");
    }
    REQUIRE(l.until_heard(channels.size()));
    CHECK(l.heard == expected);
}

TEST_CASE("a channel that cannot be is told at each attempt") {
    const postgres_server server;
    listening l(patient(server.url(), {"\xff\xfe"}));
    CHECK(l.until([&] { return l.log().count("error: postgres: attempt") >= 2; }));
    CHECK_FALSE(l.status().last_error.empty());
}

TEST_CASE("a burst of 100,000 comes whole and in order") {
    const postgres_server server;
    listening l(patient(server.url()));
    REQUIRE(l.until_up());
    support::sql(server.url())
        .run("SELECT count(pg_notify('events', n::text)) FROM generate_series(1, 100000) n");
    REQUIRE(l.until_heard(100'000));
    std::size_t wrong = 0;
    for (std::size_t i = 0; i < l.heard.size(); ++i)
        wrong += l.heard[i] != "events:" + std::to_string(i + 1) ? 1 : 0;
    CHECK(wrong == 0);
}

TEST_CASE("a transaction pooler is named as such, a session pooler will do") {
    const postgres_server server;
    SUBCASE("transaction") {
        const support::pgbouncer pooler(server.port(), "transaction");
        auto s = patient(pooler.url());
        s.probe_timeout = core::milliseconds(200);
        listening l(s);
        REQUIRE(l.until([&] { return l.log().holds("error: postgres: attempt"); }));
        const auto& words = l.status().last_error;
        CHECK_MESSAGE((words.find("pooler") != std::string::npos), words);
        CHECK_FALSE(l.status().listening);
    }
    SUBCASE("session") {
        const support::pgbouncer pooler(server.port(), "session");
        listening l(patient(pooler.url()));
        REQUIRE(l.until_up());
        support::sql(server.url()).notify("events", "through");
        REQUIRE(l.until_heard(1));
        CHECK(l.heard == list{"events:through"});
    }
}

TEST_CASE("events are held back until they can be taken, and a wake-up releases them in order") {
    const postgres_server server;
    support::sql writer(server.url());
    auto s = patient(server.url());
    SUBCASE("without a catch-up") {}
    SUBCASE("with one") {
        s.catch_ups = {"SELECT 'old' WHERE $1::timestamptz IS NOT NULL"};
    }
    const bool catches_up = !s.catch_ups.empty();
    listening l(s);
    l.ready = false;
    REQUIRE(l.until_up());
    for (const auto* payload : {"1", "2", "3"})
        writer.notify("events", payload);
    // The server has nothing left to send, and then some turns of the loop.
    while (!writer.rows("SELECT 1 WHERE pg_notification_queue_usage() > 0").empty()) {
    }
    l.loop().until([] { return false; }, std::chrono::seconds(1));
    CHECK(l.heard.empty());
    l->wake();
    l.loop().empty();
    CHECK(l.heard.empty());
    l.ready = true;
    l->wake();
    const std::size_t expected = catches_up ? 4 : 3;
    REQUIRE(l.until_heard(expected));
    if (catches_up)
        CHECK(l.heard == list{"#0:old", "events:1", "events:2", "events:3"});
    else
        CHECK(l.heard == list{"events:1", "events:2", "events:3"});
    writer.notify("events", "live");
    REQUIRE(l.until_heard(expected + 1));
    CHECK(l.heard.back() == "events:live");
}

TEST_CASE("a sink may stop the listener from within an event") {
    const postgres_server server;
    listening l(patient(server.url()));
    REQUIRE(l.until_up());
    l.on_event = [&] { l->stop(); };
    support::sql(server.url()).notify("events", "last");
    CHECK(l.until_heard(1));
    CHECK(l.until_down());
}
