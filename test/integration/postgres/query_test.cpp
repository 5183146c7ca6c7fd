// Statements and notifications over one connection.
#include <doctest/doctest.h>

#include <thread>

#include "postgres/connection.hpp"
#include "support/loop.hpp"
#include "support/postgres_server.hpp"
#include "support/sql.hpp"
#include "support/tcp_gate.hpp"

using namespace postrider;
using namespace postrider::test;
using postgres::connection;
using postgres::parameters;
using postgres::rows;

namespace {

struct session {
    explicit session(const std::string& url) {
        auto opened = l.value_of(connection::open(url, 10min));
        REQUIRE_MESSAGE(opened.has_value(), (opened ? "" : opened.error().message));
        c.emplace(std::move(*opened));
    }

    core::result<rows> ask(std::string sql, parameters values = {}, net::deadline limit = in(1h)) {
        return l.value_of(c->query(std::move(sql), std::move(values), limit));
    }
    std::string value(std::string sql, parameters values = {}) {
        auto answer = ask(std::move(sql), std::move(values));
        REQUIRE_MESSAGE(answer.has_value(), (answer ? "" : answer.error().message));
        return answer->at(0).at(0).value_or("NULL");
    }
    // Reads until so many notifications came, or the connection ended.
    std::vector<std::string> notifications(std::size_t count) {
        std::vector<std::string> all;
        for (;;) {
            c->take_notifications([&](std::string_view channel, std::string_view payload) {
                all.push_back(std::string(channel) + ":" + std::string(payload));
            });
            if (all.size() >= count) return all;
            const auto received = l.value_of(c->receive(in(2min)));
            if (!received) return all;
        }
    }

    loop l;
    std::optional<connection> c;
};

asio::awaitable<void> take_each(connection& c, std::string sql, rows& to) {
    postgres::row_taker take = [&to](postgres::row r) { to.push_back(std::move(r)); };
    parameters none;
    const auto done = co_await c.query_each(std::move(sql), std::move(none), std::move(take), in(1h));
    CHECK(done.has_value());
}

bool holds(const std::string& text, std::string_view part) {
    return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("values go as text, NULL stays NULL, and an empty text is not NULL") {
    const support::postgres_server server;
    session s(server.url());
    const auto answer = s.ask("SELECT $1::text, $2::text, $3::int + 1, NULL, ''",
                              parameters{"it's \"quoted\" ☃", std::nullopt, "41"});
    REQUIRE(answer.has_value());
    CHECK((*answer == rows{{"it's \"quoted\" ☃", std::nullopt, "42", std::nullopt, ""}}));
    CHECK(s.ask("SELECT 1 WHERE false")->empty());
    CHECK(s.ask("CREATE TABLE t (n int)")->empty());
    const auto inserted = s.ask("INSERT INTO t SELECT generate_series(1, 3) RETURNING n");
    REQUIRE(inserted.has_value());
    CHECK((*inserted == rows{{"1"}, {"2"}, {"3"}}));
}

TEST_CASE("a statement that fails gives the server's words, and the connection goes on") {
    const support::postgres_server server;
    session s(server.url());
    const auto answer = s.ask("SELECT * FROM nowhere");
    REQUIRE(answer.has_error());
    CHECK(answer.error().code == core::errc::server_error);
    CHECK(holds(answer.error().message, "relation \"nowhere\" does not exist"));
    CHECK(answer.error().message.find('\n') == std::string::npos);
    // An error that comes after rows.
    const auto late = s.ask("SELECT 1 / (n - 3) FROM generate_series(1, 5) n");
    REQUIRE(late.has_error());
    CHECK(holds(late.error().message, "division by zero"));
    const auto empty = s.ask("-- nothing");
    REQUIRE(empty.has_error());
    CHECK(empty.error().code == core::errc::server_error);
    CHECK(holds(empty.error().message, "the statement is empty"));
    CHECK(s.value("SELECT 'well'") == "well");
}

TEST_CASE("a COPY ends the connection instead of hanging it") {
    const support::postgres_server server;
    for (const auto* copy : {"COPY (SELECT 1) TO STDOUT", "COPY pg_class FROM STDIN"}) {
        session s(server.url());
        s.ask("SET allow_system_table_mods = on");
        const auto answer = s.ask(copy);
        REQUIRE(answer.has_error());
        CHECK_MESSAGE(answer.error().code == core::errc::protocol, answer.error().message);
        CHECK(holds(answer.error().message, "COPY cannot be used here"));
    }
}

TEST_CASE("large statements and large answers come whole") {
    const support::postgres_server server;
    session s(server.url());
    constexpr std::size_t size = 10'000'000;
    CHECK(s.value("SELECT repeat('x', 10000000)") == std::string(size, 'x'));
    std::string text(size, 'a');
    text.back() = 'z';
    CHECK(s.value("SELECT $1", parameters{text}) == text);
    const auto many = s.ask("SELECT n FROM generate_series(1, 200000) n");
    REQUIRE(many.has_value());
    REQUIRE(many->size() == 200'000);
    CHECK(many->back().at(0) == "200000");
}

TEST_CASE("a statement that takes too long times out") {
    const support::postgres_server server;
    session s(server.url());
    const auto answer = s.ask("SELECT pg_sleep(600)", {}, in(50ms));
    REQUIRE(answer.has_error());
    CHECK(answer.error().code == core::errc::timeout);
    CHECK(answer.error().message == "127.0.0.1:" + std::to_string(server.port()) + ": no answer in time");
    CHECK(s.l.empty());
}

TEST_CASE("a server that takes no more of a large statement times out") {
    const support::postgres_server server;
    support::tcp_gate gate(server.port());
    session s("host=127.0.0.1 user=postgres dbname=postgres port=" + std::to_string(gate.port()));
    gate.stall();
    const auto answer = s.ask("SELECT $1", parameters{std::string(50'000'000, 'a')}, in(200ms));
    REQUIRE(answer.has_error());
    CHECK(answer.error().code == core::errc::timeout);
    CHECK(s.l.empty());
}

TEST_CASE("patience moves the limit as long as the server gives signs of life") {
    const support::postgres_server server;
    session s(server.url());
    // A row every 50 ms, each filling the server's buffer, for longer than the limit, within which a busy
    // machine must have sent the first.
    const std::string slow = "SELECT repeat('x', 9000), pg_sleep(0.05)::text FROM generate_series(1, 120)";
    const auto patient = s.l.value_of(s.c->query(slow, {}, in(5s), 60s));
    REQUIRE_MESSAGE(patient.has_value(), (patient ? "" : patient.error().message));
    CHECK(patient->size() == 120);
    const auto strict = s.l.value_of(s.c->query(slow, {}, in(200ms)));
    REQUIRE(strict.has_error());
    CHECK(strict.error().code == core::errc::timeout);
}

TEST_CASE("a session that the server ends says why, busy or idle") {
    const support::postgres_server server;
    support::sql admin(server.url());
    session s(server.url());
    const auto pid = s.value("SELECT pg_backend_pid()");
    SUBCASE("idle") {
        admin.run("SELECT pg_terminate_backend(" + pid + ")");
        core::result<void> received;
        while (received) {
            received = s.l.value_of(s.c->receive(in(2min)));
            s.c->take_notifications([](std::string_view, std::string_view) {});
        }
        CHECK(received.error().code == core::errc::connection_lost);
        CHECK(holds(received.error().message, "terminating connection due to administrator command"));
        CHECK(received.error().message.starts_with("127.0.0.1:"));
    }
    SUBCASE("busy") {
        std::thread killer([&] {
            while (admin.rows("SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep'").empty()) {
            }
            admin.run("SELECT pg_terminate_backend(" + pid + ")");
        });
        const auto answer = s.ask("SELECT pg_sleep(600)");
        killer.join();
        REQUIRE(answer.has_error());
        CHECK(answer.error().code == core::errc::connection_lost);
        CHECK(holds(answer.error().message, "terminating connection due to administrator command"));
    }
    const auto after = s.ask("SELECT 1");
    REQUIRE(after.has_error());
    CHECK(after.error().code == core::errc::connection_lost);
}

TEST_CASE("every notification of a burst comes, in order") {
    const support::postgres_server server;
    session s(server.url());
    s.ask("LISTEN events");
    support::sql writer(server.url());
    writer.run("SELECT count(pg_notify('events', n::text)) FROM generate_series(1, 100000) n");
    const auto all = s.notifications(100'000);
    REQUIRE(all.size() == 100'000);
    std::size_t wrong = 0;
    for (std::size_t i = 0; i < all.size(); ++i)
        wrong += all[i] != "events:" + std::to_string(i + 1) ? 1 : 0;
    CHECK(wrong == 0);
}

TEST_CASE("the largest payload there is comes byte for byte") {
    const support::postgres_server server;
    session s(server.url());
    s.ask("LISTEN events");
    std::string payload(7'996, 'x');
    payload += "☃";
    REQUIRE(payload.size() == 7'999);
    support::sql(server.url()).notify("events", payload);
    CHECK(s.notifications(1) == std::vector<std::string>{"events:" + payload});
}

TEST_CASE("what arrived before the connection died is not lost") {
    support::postgres_server server;
    session s(server.url());
    s.ask("LISTEN events");
    support::sql(server.url())
        .run("SELECT count(pg_notify('events', n::text)) FROM generate_series(1, 5000) n");
    support::sql admin(server.url());
    // The session has read them all, and waits for its client again: they are on their way.
    while (admin.rows("SELECT 1 WHERE pg_notification_queue_usage() = 0").empty()) {
    }
    while (
        admin
            .rows(
                "SELECT 1 FROM pg_stat_activity WHERE query = 'LISTEN events' AND wait_event = 'ClientRead'")
            .empty()) {
    }
    server.stop(true);
    CHECK(s.notifications(5'001).size() == 5'000);
}

TEST_CASE("a server that is blocked by sending still gets a large statement through") {
    const support::postgres_server server;
    session s(server.url());
    s.ask("LISTEN events");
    support::sql(server.url())
        .run("SELECT count(pg_notify('events', n || repeat('x', 7000))) FROM generate_series(1, 10000) n");
    CHECK(s.value("SELECT length($1)", parameters{std::string(20'000'000, 'a')}) == "20000000");
    CHECK(s.notifications(10'000).size() == 10'000);
}

TEST_CASE("rows can be taken as they come, before the statement has ended") {
    const support::postgres_server server;
    support::sql lock(server.url());
    lock.run("SELECT pg_advisory_lock(7)");
    session s(server.url());
    rows taken;
    // The server sends when its buffer of 8 kB is full.
    const std::string sql =
        "SELECT n, repeat('x', 9000) FROM generate_series(1, 100) n UNION ALL "
        "SELECT 101, NULL FROM pg_advisory_xact_lock(7)";
    s.l.start(take_each(*s.c, sql, taken));
    REQUIRE(s.l.until([&] { return taken.size() >= 99; }));
    lock.run("SELECT pg_advisory_unlock(7)");
    REQUIRE(s.l.until([&] { return taken.size() == 101; }));
    CHECK(taken.front().at(0) == "1");
    CHECK(taken.back() == postgres::row{"101", std::nullopt});
    CHECK(s.value("SELECT 'well'") == "well");
}

TEST_CASE("an error behind rows that were taken is told, and the connection goes on") {
    const support::postgres_server server;
    session s(server.url());
    std::size_t taken = 0;
    const auto answer = s.l.value_of(s.c->query_each(
        "SELECT 1 / (n - 3) FROM generate_series(1, 5) n", {}, [&](const postgres::row&) { ++taken; },
        in(1h)));
    REQUIRE(answer.has_error());
    CHECK(answer.error().code == core::errc::server_error);
    CHECK(holds(answer.error().message, "division by zero"));
    CHECK(taken == 2);
    CHECK(s.value("SELECT 'well'") == "well");
}

TEST_CASE("odd identifiers are quoted, and impossible ones told in words") {
    const support::postgres_server server;
    session s(server.url());
    CHECK(s.c->quote_identifier("a\"b").value() == "\"a\"\"b\"");
    CHECK(s.c->quote_identifier("select").value() == "\"select\"");
    const auto bad = s.c->quote_identifier("\xff\xff");
    REQUIRE(bad.has_error());
    CHECK(bad.error().code == core::errc::invalid_input);
    CHECK_FALSE(bad.error().message.empty());
}
