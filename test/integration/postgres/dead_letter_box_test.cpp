// The writer of dead letters: outages, storms, missing rights, a stop.
#include "postgres/dead_letter_box.hpp"

#include <doctest/doctest.h>

#include "letter_session.hpp"
#include "support/tcp_gate.hpp"

using namespace postrider;
using namespace postrider::test;
using postgres::dead_letter_box;
using store = postgres::dead_letter_box::store;

namespace {

postgres::dead_letter_box_settings quick(std::string url) {
    postgres::dead_letter_box_settings s;
    s.conninfo = std::move(url);
    s.statement_timeout = 1min;
    s.linger = 5ms;
    s.backoff_first = 20ms;
    s.backoff_cap = 50ms;
    return s;
}

// A box at work.
struct running_box {
    explicit running_box(postgres::dead_letter_box_settings settings)
        : box(l.executor(), std::move(settings), [this](const auto& all) { written += all.size(); }) {
        start();
    }
    void start() {
        ended = false;
        asio::co_spawn(l.context(), box.run(), [this](const std::exception_ptr& error) {
            CHECK_MESSAGE(!error, "run() ended with an exception");
            ended = true;
        });
    }
    ~running_box() {
        box.stop();
        CHECK(l.until([&] { return ended; }));
    }
    bool stores(std::uint64_t n) {
        return l.until([&] { return box.current().written == n && box.waiting() == 0; });
    }

    loop l;
    std::size_t written = 0;
    bool ended = false;
    dead_letter_box box;
};

std::string with_port(std::string url, std::uint16_t port) {
    const auto at = url.find("127.0.0.1:") + 10;
    return url.replace(at, url.find('/', at) - at, std::to_string(port));
}

std::string rows(const std::string& url, const std::string& what) {
    return support::sql(url).rows("SELECT " + what + " FROM postrider.dead_letters").at(0).at(0);
}

}  // namespace

TEST_CASE("letters are written in order, and a storm of one payload is one row with its count") {
    const auto url = letter_database("box_storm");
    running_box b(quick(url));
    REQUIRE(b.l.until([&] { return b.box.current().store == store::postgres; }));
    b.box.add(push_letter("first"));
    for (int i = 0; i < 20'000; ++i)
        b.box.add(event_letter("bad"));
    b.box.add(push_letter("last"));
    REQUIRE(b.stores(20'002));
    for (int i = 0; i < 1'000; ++i)
        b.box.add(event_letter("bad"));
    REQUIRE(b.stores(21'002));
    CHECK(rows(url, "string_agg(payload || attempts, ' ' ORDER BY id)") == "first1 bad21000 last1");
    CHECK(b.box.current().dropped == 0);
    CHECK(b.box.current().by_reason.at("not_json") == 21'000);
    CHECK(b.written == 4);
}

TEST_CASE("the reasons are counted apart up to a bound, and the rest together") {
    running_box b(quick(letter_database("box_reasons")));
    for (int i = 0; i < 100; ++i) {
        auto letter = push_letter("p" + std::to_string(i));
        letter.reason = "REASON" + std::to_string(i);
        b.box.add(letter);
        b.box.add(letter);
    }
    const auto counts = b.box.current().by_reason;
    CHECK(counts.size() == 33);
    CHECK(counts.at("REASON0") == 2);
    CHECK(counts.at("other") == 2 * (100 - 32));
}

TEST_CASE("letters wait while Postgres is away, bounded, and are written when it is back") {
    const auto url = letter_database("box_away");
    support::tcp_gate gate(letter_server().port());
    auto settings = quick(with_port(url, gate.port()));
    settings.most = 100;
    running_box b(settings);
    REQUIRE(b.l.until([&] { return b.box.current().store == store::postgres; }));
    gate.refuse();
    for (int i = 0; i < 150; ++i)
        b.box.add(event_letter("e" + std::to_string(i)));
    REQUIRE(b.l.until([&] { return !b.box.current().last_error.empty(); }));
    CHECK(b.box.current().store == store::postgres);
    CHECK(b.box.waiting() == 100);
    CHECK(b.box.current().dropped == 50);
    gate.pass();
    REQUIRE(b.stores(100));
    CHECK(rows(url, "count(*) || min(payload)") == "100e100");
    CHECK(b.box.current().taken == 150);
    CHECK(b.box.current().last_error.empty());
}

TEST_CASE("a write whose answer is lost leaves each letter once, with its exact count") {
    const auto url = letter_database("box_lost");
    support::tcp_gate gate(letter_server().port());
    running_box b(quick(with_port(url, gate.port())));
    b.box.add(event_letter("known"));
    REQUIRE(b.stores(1));
    for (int round = 0; round < 3; ++round) {
        gate.swallow(support::tcp_gate::direction::to_client);
        for (int i = 0; i < 10; ++i)
            b.box.add(event_letter("known"));
        b.box.add(push_letter("push"));
        const auto expected = std::to_string(1 + (round + 1) * 10);
        // It is in the table, and the box does not know.
        REQUIRE(b.l.until([&] { return rows(url, "max(attempts)") == expected; }));
        CHECK(b.box.waiting() == 2);
        gate.cut();
        gate.pass();
        REQUIRE(b.stores(1 + static_cast<std::uint64_t>(round + 1) * 11));
        CHECK(rows(url, "count(*) || ' ' || max(attempts)") == std::to_string(2 + round) + " " + expected);
    }
}

TEST_CASE("a letter that Postgres can never hold does not keep the others back") {
    const auto url = letter_database("box_poison");
    running_box b(quick(url));
    b.box.add(event_letter("one"));
    b.box.add(event_letter("not \xff UTF-8"));
    b.box.add(event_letter("two"));
    REQUIRE(b.l.until([&] { return b.box.current().written == 2 && b.box.waiting() == 0; }));
    CHECK(b.box.current().dropped == 1);
    CHECK(rows(url, "string_agg(payload, ' ' ORDER BY id)") == "one two");
}

TEST_CASE("without rights the letters stay in memory, until the rights are there") {
    auto url = letter_database("box_rights");
    support::sql owner(url);
    owner.run("CREATE ROLE clerk LOGIN");
    running_box b(quick(std::string(url).replace(url.find("postgres@"), 8, "clerk")));
    b.box.add(event_letter("kept"));
    REQUIRE(b.l.until([&] { return !b.box.current().last_error.empty(); }));
    CHECK(b.box.current().store == store::memory);
    CHECK(b.box.current().last_error.find("--grant-to clerk") != std::string::npos);
    owner.run("GRANT CREATE ON DATABASE box_rights TO clerk");
    REQUIRE(b.stores(1));
    CHECK(b.box.current().store == store::postgres);
    // Taken away again, in the middle.
    owner.run(
        "REVOKE ALL ON postrider.dead_letters FROM clerk; ALTER TABLE postrider.dead_letters OWNER TO "
        "postgres");
    owner.run("ALTER SCHEMA postrider OWNER TO postgres; REVOKE CREATE ON DATABASE box_rights FROM clerk");
    b.box.add(event_letter("later"));
    REQUIRE(b.l.until([&] { return b.box.current().store == store::memory; }));
    CHECK(
        b.l.until([&] { return b.box.current().last_error.find("--grant-to clerk") != std::string::npos; }));
    CHECK(b.box.waiting() == 1);
    owner.run(
        "GRANT USAGE ON SCHEMA postrider TO clerk; "
        "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA postrider TO clerk");
    REQUIRE(b.stores(2));
}

TEST_CASE("a stop writes what waits, and does not wait for a Postgres that is away") {
    const auto url = letter_database("box_stop");
    {
        auto slow = quick(url);
        slow.linger = 10min;
        running_box b(slow);
        REQUIRE(b.l.until([&] { return b.box.current().store == store::postgres; }));
        b.box.add(event_letter("last words"));
        b.l.empty();
        b.box.finish();
        CHECK(b.l.until([&] { return b.ended; }));
        CHECK(b.box.waiting() == 0);
        CHECK(rows(url, "count(*)") == "1");
    }
    auto away = quick("postgresql://postgres@127.0.0.1:1/x");
    away.backoff_first = away.backoff_cap = 10min;
    running_box b(away);
    b.box.add(event_letter("lost"));
    REQUIRE(b.l.until([&] { return !b.box.current().last_error.empty(); }));
    b.box.finish();
    CHECK(b.l.until([&] { return b.ended; }));
    CHECK(b.box.waiting() == 1);
}
