// What is put aside while a call to a real table is under way.
#include "service/parked_events.hpp"

#include <doctest/doctest.h>

#include "postgres/election.hpp"
#include "support/loop.hpp"
#include "support/postgres_server.hpp"
#include "support/sql.hpp"

namespace postrider::service {
namespace {

using numbers = std::vector<std::uint64_t>;

const support::postgres_server& server() {
    static const support::postgres_server shared;
    return shared;
}

postgres::parking_settings settings() {
    postgres::parking_settings s;
    s.conninfo = server().url();
    s.name = "chat";
    // What a test keeps waiting may wait for as long as the test takes.
    s.connect_timeout = s.statement_timeout = core::milliseconds(60'000);
    return s;
}

// Leads, and has put aside the events 1 to 3.
struct leading {
    leading() {
        database.run("DROP SCHEMA IF EXISTS postrider CASCADE");
        database.run("SELECT pg_advisory_lock(" + postgres::election("chat").key() + ")");
        parked.led_by(std::stoi(database.rows("SELECT pg_backend_pid()")[0][0]));
        parked.begin();
        add({1, 2, 3});
        REQUIRE(loop.value_of(parked.write_some()).value());
    }
    void add(const numbers& all) {
        for (const auto n : all) {
            event::parked p;
            p.channel = "chat";
            p.numbers.emplace_back("a", n);
            parked.add(std::move(p));
        }
    }
    // The numbers of what waits to be written, oldest first; none is left.
    numbers take_all() {
        numbers all;
        while (const auto p = parked.take_unwritten())
            all.push_back(p->number_of("a"));
        return all;
    }
    // Starts the call, which then waits for the table until finish().
    void begin(asio::awaitable<void> call, const std::string& mode = "ACCESS EXCLUSIVE") {
        blocker.run("BEGIN; LOCK TABLE postrider.parked IN " + mode + " MODE");
        loop.start(std::move(call));
        REQUIRE(loop.until([&] {
            return !database.rows("SELECT 1 FROM pg_locks WHERE locktype = 'relation' AND NOT granted")
                        .empty();
        }));
    }
    void finish() {
        blocker.run("COMMIT");
        REQUIRE(loop.until([&] { return is_answered; }));
    }
    asio::awaitable<void> write() {
        const auto written = co_await parked.write_some();
        is_answered = written.has_value();
    }
    asio::awaitable<void> put_back() {
        const auto put = co_await parked.put_back();
        is_answered = put.has_value() && *put;
    }
    void add_in_front(std::uint64_t number, std::string payload) {
        event::parked p;
        p.channel = "chat";
        p.payload = std::move(payload);
        p.numbers.emplace_back("a", number);
        parked.add_in_front(std::move(p));
    }
    asio::awaitable<void> delete_done() {
        const auto deleted = co_await parked.delete_done();
        is_answered = deleted.has_value();
    }

    support::sql database{server().url()};
    support::sql blocker{server().url()};
    test::loop loop;
    parked_events parked{settings()};
    bool is_answered = false;
};

}  // namespace

TEST_CASE("a write that is answered when another was elected meanwhile takes away nothing that came since") {
    leading t;
    t.add({4, 5});
    t.begin(t.write());
    t.parked.forget();
    t.add({6, 7});
    t.finish();
    CHECK(t.parked.in_table() == 0);
    CHECK(t.take_all() == numbers{6, 7});
}

TEST_CASE("a write that is answered takes away what it has written, and nothing that came since") {
    leading t;
    t.add({4, 5});
    t.begin(t.write());
    t.add({6, 7});
    t.finish();
    CHECK(t.parked.in_table() == 5);
    CHECK(t.take_all() == numbers{6, 7});
}

TEST_CASE("a deletion that is answered when another was elected meanwhile deletes nothing of the next term") {
    leading t;
    const auto events = t.loop.value_of(t.parked.read_some()).value();
    REQUIRE(events.size() == 3);
    t.parked.took(events);
    t.parked.mark(false);
    t.parked.mark(true);
    t.begin(t.delete_done());
    t.parked.forget();
    t.finish();
    CHECK(t.parked.is_deleted());
}

TEST_CASE(
    "what comes in front while others are written there is written once, before those without a number") {
    leading t;
    t.add_in_front(0, "without 1");
    t.add_in_front(0, "without 2");
    // Reads go on: it is the writing that waits.
    t.begin(t.put_back(), "SHARE");
    CHECK(t.parked.left_in_front() == 2);
    t.add_in_front(8, "with 8");
    t.add_in_front(7, "with 7");
    t.parked.sort_front();
    t.finish();
    CHECK(t.parked.left_in_front() == 0);
    std::vector<std::string> all;
    for (const auto& p : t.loop.value_of(t.parked.read_some()).value())
        if (!p.payload.empty()) all.push_back(p.payload);
    CHECK(all == std::vector<std::string>{"with 7", "with 8", "without 1", "without 2"});
}

}  // namespace postrider::service
