#include <doctest/doctest.h>

#include <csignal>
#include <cstdlib>
#include <random>

#include "message_table.hpp"
#include "running_postrider.hpp"
#include "servers.hpp"
#include "support/eventually.hpp"

namespace postrider::test {
namespace {

// Writes so many more messages, however often Postgres turns one away.
void write_more(message_table& table, std::size_t count) {
    const std::size_t until = table.talk().total() + count;
    const bool done = support::repeatedly(
        [&] {
            table.write_next();
            return table.talk().total() >= until;
        },
        60s);
    REQUIRE(done);
}

void check_all_delivered(support::redis_server& redis, const chat& talk) {
    CHECK(talk.verdict(wait_for_messages(redis, "singles", talk.total())) == "");
    CHECK(talk.verdict(wait_for_messages(redis, "groups", talk.total())) == "");
}

// After it the bridge has heard all that was notified before.
void await_heartbeat(support::sql& database) {
    const auto now = database.rows("SELECT clock_timestamp()").at(0).at(0);
    const bool asked = support::eventually(
        [&] {
            return !database
                        .rows(
                            "SELECT 1 FROM pg_stat_activity WHERE query LIKE '%pg_listening_channels()' AND "
                            "pid <> pg_backend_pid() AND query_start > $1::timestamptz",
                            {now})
                        .empty();
        },
        30s);
    REQUIRE(asked);
}

TEST_CASE(
    "Postgres restarted in the middle: what was written before the bridge is back is caught up, once, in "
    "order") {
    support::postgres_server postgres;
    auto& redis = shared_redis();
    message_table table(postgres.url());
    running_postrider bridge(
        {.postgres_url = postgres.url(), .redis_url = redis.url(), .file = message_table::routes()});
    INFO(bridge.end_of_log());
    REQUIRE(bridge.becomes_ready());

    for (int restart = 0; restart < 3; ++restart) {
        const auto before = bridge.database_reconnects();
        write_more(table, 60);
        postgres.stop(true);
        REQUIRE(bridge.answers("/health/readiness", R"("database":{"status":"down")"));
        postgres.start();
        // Written before the bridge listens again, and after.
        write_more(table, 100);
        REQUIRE(bridge.reconnects_after(before));
        write_more(table, 40);
    }
    check_all_delivered(redis, table.talk());
    CHECK(bridge.logs("postgres: connection lost: "));
    CHECK(bridge.logs("postgres: reconnected to 127.0.0.1:" + std::to_string(postgres.port()) + " after "));
}

TEST_CASE("killed again and again while messages go on being written: none lost, none twice, all in order") {
    auto& redis = shared_redis();
    message_table table(shared_postgres().url());
    running_postrider bridge(
        {.postgres_url = shared_postgres().url(), .redis_url = redis.url(), .file = message_table::routes()});
    INFO(bridge.end_of_log());
    REQUIRE(bridge.becomes_ready());

    const char* const given = std::getenv("POSTRIDER_SEED");
    const std::uint64_t seed = given != nullptr ? std::stoull(given) : std::random_device{}();
    MESSAGE("POSTRIDER_SEED=", seed);
    std::mt19937_64 dice(seed);
    for (int death = 1; death <= 8; ++death) {
        write_more(table, 20 + dice() % 60);
        bridge.kill();
        write_more(table, 10);
        bridge.start();
        // The next death may come before this one is ready, and in the middle of the catching up.
        write_more(table, dice() % 40);
        if (death % 2 == 0) REQUIRE(bridge.becomes_ready());
    }
    check_all_delivered(redis, table.talk());
}

TEST_CASE("killed right after its very first start: what came meanwhile is caught up") {
    auto& redis = shared_redis();
    message_table table(shared_postgres().url());
    running_postrider bridge(
        {.postgres_url = shared_postgres().url(), .redis_url = redis.url(), .file = message_table::routes()});
    INFO(bridge.end_of_log());
    REQUIRE(bridge.becomes_ready());
    write_more(table, 5);
    REQUIRE(wait_for_list(redis, "singles", 5).size() == 5);
    bridge.kill();
    write_more(table, 5);
    bridge.start();
    check_all_delivered(redis, table.talk());
}

TEST_CASE("a catch-up that Postgres refuses is told and keeps nothing back") {
    auto& redis = shared_redis();
    support::sql database(shared_postgres().url());
    std::string routes = message_table::routes();
    for (auto at = routes.find("FROM messages"); at != std::string::npos; at = routes.find("FROM messages"))
        routes.replace(at, 13, "FROM massages");
    running_postrider bridge(
        {.postgres_url = shared_postgres().url(), .redis_url = redis.url(), .file = routes});
    INFO(bridge.end_of_log());
    REQUIRE(bridge.logs(R"(relation "massages" does not exist)"));
    CHECK_FALSE(bridge.is_ready());
    CHECK(bridge.answers("/health/readiness", "massages"));
    chat talk;
    database.notify("chat", talk.next("a"));
    CHECK(talk.verdict(wait_for_list(redis, "singles", 1)) == "");
}

TEST_CASE("until the catch-up has run nothing is ready, and a stop drops nothing that others keep") {
    auto& redis = shared_redis();
    message_table table(shared_postgres().url());
    support::sql database(shared_postgres().url());
    support::sql lock(shared_postgres().url());
    lock.run("SELECT pg_advisory_lock(77)");
    std::string routes = message_table::routes();
    for (auto at = routes.find("FROM messages WHERE"); at != std::string::npos;
         at = routes.find("FROM messages WHERE"))
        routes.replace(at, 19, "FROM messages, pg_advisory_xact_lock_shared(77) WHERE");
    routes += R"(
[[route]]
name = "plain"
channel = "chat"
policy = "immediate"
to = "plain"
)";
    running_postrider bridge(
        {.postgres_url = shared_postgres().url(), .redis_url = redis.url(), .file = routes});
    INFO(bridge.end_of_log());
    REQUIRE(bridge.answers("/health/readiness", "events are held until the catch-up queries have run"));
    CHECK_FALSE(bridge.is_ready());
    for (int i = 0; i < 3; ++i)
        REQUIRE(table.write_next());
    await_heartbeat(database);
    bridge.signal(SIGTERM);
    CHECK(bridge.ends() == 0);
    CHECK(table.talk().verdict(redis.list("plain")) == "");
    CHECK(redis.list("singles").empty());
    lock.run("SELECT pg_advisory_unlock(77)");
    bridge.start();
    check_all_delivered(redis, table.talk());
    REQUIRE(bridge.becomes_ready());
}

}  // namespace
}  // namespace postrider::test
