// Both servers are away, and come back one after the other.
#include <doctest/doctest.h>

#include <csignal>

#include "chat.hpp"
#include "running_postrider.hpp"
#include "servers.hpp"
#include "support/eventually.hpp"
#include "support/tcp_gate.hpp"
#include "talking.hpp"

namespace postrider::test {
namespace {

// The listening one; who puts events aside holds a lock as well, but never without a transaction.
constexpr const char* leading_session =
    "SELECT pid FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE locktype = 'advisory' AND mode = "
    "'ExclusiveLock' AND granted AND state = 'idle' AND query LIKE '%pg_listening_channels%'";

// A process that stands still until the end of its scope.
struct standing_still {
    explicit standing_still(int process) : pid(process) { REQUIRE(::kill(pid, SIGSTOP) == 0); }
    standing_still(const standing_still&) = delete;
    standing_still& operator=(const standing_still&) = delete;
    ~standing_still() { ::kill(pid, SIGCONT); }
    int pid;
};

struct both_servers {
    explicit both_servers(const std::string& sections = {}, const std::string& routes = {})
        : bridge({.postgres_url = postgres_at(to_postgres.port()),
                  .redis_url = redis_at(to_redis.port()),
                  .file = both_ways("300ms", "100ms", sections) + routes,
                  .reconnects_quickly = true}) {}

    support::redis_server& redis = shared_redis();
    support::sql database{shared_postgres().url()};
    support::tcp_gate to_postgres{shared_postgres().port()};
    support::tcp_gate to_redis{redis.port()};
    running_postrider bridge;
    chat talk;
    std::string last;

    void send(std::size_t count) {
        std::vector<std::string> burst;
        for (std::size_t i = 0; i < count; ++i)
            burst.push_back(next_message(talk));
        notify_together(database, "chat", burst);
        last = burst.back();
    }
    // So that nothing is on its way from Postgres.
    void wait_until_heard() {
        const auto words = R"("policy":"immediate","events":)" + std::to_string(talk.total()) + ",";
        REQUIRE(bridge.answers("/stats", words));
    }
    // The same, of what is put aside.
    void wait_until_parked() {
        REQUIRE(support::eventually([&] {
            return !database.rows("SELECT FROM postrider.parked WHERE payload = $1", {last}).empty();
        }));
    }
    void lose_redis() {
        to_redis.refuse();
        REQUIRE(bridge.answers("/health/readiness", R"("redis":{"status":"down")"));
    }
    // A session that is new, while nobody else has led.
    void renew_session() {
        const auto log = bridge.log().size();
        to_postgres.cut();
        REQUIRE(bridge.logs("postgres: reconnected", 90s, log));
        REQUIRE(bridge.answers("/health/readiness", R"("database":{"status":"up")"));
    }
    void check_everything_once() {
        CHECK(talk.verdict(wait_for_list(redis, "singles", talk.total())) == "");
        CHECK(talk.verdict(wait_for_messages(redis, "groups", talk.total())) == "");
    }
};

TEST_CASE(
    "both servers are away and Postgres comes back first: what waited and what comes then arrive once") {
    both_servers t;
    INFO(t.bridge.end_of_log());
    REQUIRE(t.bridge.becomes_ready());
    t.send(50);
    REQUIRE(wait_for_list(t.redis, "singles", 50).size() == 50);
    for (int turn = 0; turn < 3; ++turn) {
        t.lose_redis();
        t.send(50);
        t.wait_until_heard();
        t.renew_session();
        t.send(50);
        t.to_redis.pass();
        t.check_everything_once();
    }
    CHECK(t.bridge.log().find("stepping down") == std::string::npos);
}

TEST_CASE("a leader whose former session still lives in Postgres stands by for nobody, and drops nothing") {
    both_servers t("[postgres]\nheartbeat = \"1s\"\nheartbeat_timeout = \"12s\"\n");
    INFO(t.bridge.end_of_log());
    REQUIRE(t.bridge.becomes_ready());
    t.send(50);
    REQUIRE(wait_for_list(t.redis, "singles", 50).size() == 50);
    t.lose_redis();
    t.send(50);
    t.wait_until_heard();
    // It answers no more, and holds the lock.
    std::string session;
    REQUIRE(support::eventually([&] {
        const auto found = t.database.rows(leading_session);
        if (found.size() == 1) session = found.at(0).at(0);
        return !session.empty();
    }));
    {
        const standing_still former(std::stoi(session));
        const auto log = t.bridge.log().size();
        REQUIRE(t.bridge.logs("postgres: reconnected", 90s, log));
        const auto asked =
            "SELECT FROM pg_stat_activity WHERE query LIKE '%pg_terminate_backend%' AND pid <> "
            "pg_backend_pid()";
        REQUIRE(support::eventually([&] { return !t.database.rows(asked).empty(); }));
        t.send(50);
    }
    t.to_redis.pass();
    t.check_everything_once();
    CHECK(t.bridge.log().find("standing by") == std::string::npos);
    CHECK(t.bridge.log().find("stepping down") == std::string::npos);
}

constexpr const char* small_buffer = "[redis]\nbuffer_bytes = 65536\n";

std::string parked_rows(both_servers& t) {
    return t.database.rows("SELECT count(*) FROM postrider.parked").at(0).at(0);
}

TEST_CASE(
    "what is heard in a new session while Redis is away is bounded: past it events are put aside, in order") {
    forget_parked();
    both_servers t(small_buffer);
    INFO(t.bridge.end_of_log());
    REQUIRE(t.bridge.becomes_ready());
    t.send(50);
    REQUIRE(wait_for_list(t.redis, "singles", 50).size() == 50);
    t.lose_redis();
    SUBCASE("behind what waits in memory") {
        t.send(50);
        t.wait_until_heard();
    }
    SUBCASE("behind what was put aside before") {
        t.send(2'000);
        REQUIRE(t.bridge.logs("put aside in Postgres, in postrider.parked"));
        t.wait_until_parked();
    }
    const auto before = std::stoi(parked_rows(t));
    t.renew_session();
    for (int i = 0; i < 8; ++i)
        t.send(250);
    REQUIRE(support::eventually([&] { return std::stoi(parked_rows(t)) > before + 500; }));
    SUBCASE("and a second session of that kind") {
        t.wait_until_parked();
        t.renew_session();
        t.send(250);
    }
    SUBCASE("and Redis comes back") {}
    SUBCASE("and a stop without Redis") {
        t.wait_until_parked();
        t.bridge.signal(SIGTERM);
        CHECK(t.bridge.ends() == 0);
        CHECK(t.bridge.log().find("they are put aside in Postgres") != std::string::npos);
        t.bridge.start();
    }
    t.to_redis.pass();
    t.check_everything_once();
    CHECK(support::eventually([&] { return parked_rows(t) == "0"; }));
    CHECK(t.bridge.log().find("stepping down") == std::string::npos);
}

TEST_CASE("what is held behind a catch-up at a stop goes behind what is put aside") {
    forget_parked();
    support::sql lock(shared_postgres().url());
    lock.run("DROP TABLE IF EXISTS slow; CREATE TABLE slow (payload text)");
    both_servers t(small_buffer, R"(
[[route]]
name = "other"
channel = "other"
policy = "immediate"
id = "/id"
catch_up = "SELECT payload FROM slow WHERE $1::timestamptz IS NOT NULL"
to = "others"
)");
    INFO(t.bridge.end_of_log());
    REQUIRE(t.bridge.becomes_ready());
    t.lose_redis();
    t.send(2'000);
    t.wait_until_parked();
    lock.run("BEGIN; LOCK TABLE slow");
    t.renew_session();
    t.to_redis.pass();
    const auto waits =
        "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%FROM slow%'";
    REQUIRE(support::eventually([&] { return !t.database.rows(waits).empty(); }));
    const auto from = t.to_postgres.bytes(support::tcp_gate::direction::to_client);
    t.send(50);
    REQUIRE(support::eventually([&] {
        return t.to_postgres.bytes(support::tcp_gate::direction::to_client) >= from + 50 * t.last.size();
    }));
    // An answer comes from a turn of the program's loop behind that.
    REQUIRE(t.bridge.get("/health").status == 200);
    REQUIRE(t.bridge.get("/health").status == 200);
    t.bridge.signal(SIGTERM);
    CHECK(t.bridge.ends() == 0);
    lock.run("ROLLBACK");
    t.bridge.start();
    t.check_everything_once();
    // The next test's process would take what is left for its own.
    CHECK(support::eventually([&] { return parked_rows(t) == "0"; }));
}

}  // namespace
}  // namespace postrider::test
