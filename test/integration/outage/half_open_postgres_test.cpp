#include <doctest/doctest.h>

#include "chat.hpp"
#include "message_table.hpp"
#include "running_postrider.hpp"
#include "servers.hpp"
#include "support/tcp_gate.hpp"

namespace postrider::test {
namespace {

const std::string half_open = "the connection is half open: no answer to a heartbeat within ";

constexpr const char* quick_heartbeat = R"(
[postgres]
heartbeat = "1s"
heartbeat_timeout = "1s"
connect_timeout = "1s"
backoff_first = "100ms"
backoff_cap = "500ms"
[[route]]
name = "single"
channel = "chat"
policy = "immediate"
to = "singles"
)";

TEST_CASE("a half-open Postgres connection is found, told, and recovered from") {
    support::tcp_gate gate(shared_postgres().port());
    auto& redis = shared_redis();
    support::sql database(shared_postgres().url());
    running_postrider bridge(
        {.postgres_url = postgres_at(gate.port()), .redis_url = redis.url(), .file = quick_heartbeat});
    INFO(bridge.end_of_log());
    REQUIRE(bridge.becomes_ready());

    gate.stall();
    REQUIRE(bridge.logs("postgres: connection lost: 127.0.0.1:" + std::to_string(gate.port()) + ": " +
                        half_open + "1 s"));
    CHECK(bridge.answers("/health/readiness", R"("database":{"status":"down")"));
    CHECK(bridge.get("/health/readiness").status == 503);
    CHECK(bridge.get("/health").status == 200);
    CHECK(bridge.logs("postgres: attempt 2 failed: "));
    gate.pass();
    gate.cut();
    REQUIRE(bridge.becomes_ready(60s));
    CHECK(bridge.logs("postgres: reconnected to "));
    chat talk;
    database.notify("chat", talk.next("a"));
    CHECK(talk.verdict(wait_for_list(redis, "singles", 1)) == "");
}

TEST_CASE("with the defaults, half-open connections to both servers are found in time") {
    using seconds = std::chrono::duration<double>;
    auto& redis = shared_redis();
    support::tcp_gate to_postgres(shared_postgres().port());
    support::tcp_gate to_redis(redis.port());
    support::sql database(shared_postgres().url());
    running_postrider bridge(
        {.postgres_url = postgres_at(to_postgres.port()), .redis_url = redis_at(to_redis.port())});
    INFO(bridge.end_of_log());
    REQUIRE(bridge.becomes_ready());
    const auto stalled = std::chrono::steady_clock::now();
    to_redis.stall();
    database.notify("bot_events", chat().next("a"));
    REQUIRE(bridge.answers("/stats", R"("events":1)"));
    to_postgres.stall();
    // 5 s and 14 s by the settings; a busy machine may need longer.
    REQUIRE(bridge.logs("connection lost: no reply within 5 s", 60s));
    const seconds redis_took = std::chrono::steady_clock::now() - stalled;
    REQUIRE(bridge.logs(half_open + "4 s", 60s));
    const seconds postgres_took = std::chrono::steady_clock::now() - stalled;
    MESSAGE("a half-open connection to Redis was found after ", redis_took.count(), " s, to Postgres after ",
            postgres_took.count(), " s");
    CHECK(redis_took.count() < 30);
    CHECK(postgres_took.count() < 30);
    CHECK(bridge.get("/health/readiness").status == 503);
}

TEST_CASE(
    "a Postgres that stands still without closing anything is found, and its messages come afterwards") {
    support::postgres_server postgres;
    auto& redis = shared_redis();
    message_table table(postgres.url());
    auto routes = message_table::routes();
    const std::string patient = "heartbeat_timeout = \"60s\"";
    routes.replace(routes.find(patient), patient.size(), "heartbeat_timeout = \"1s\"");
    running_postrider bridge({.postgres_url = postgres.url(), .redis_url = redis.url(), .file = routes});
    INFO(bridge.end_of_log());
    REQUIRE(bridge.becomes_ready());
    for (int i = 0; i < 20; ++i)
        REQUIRE(table.write_next());
    postgres.pause();
    REQUIRE(bridge.logs(half_open));
    postgres.resume();
    for (int i = 0; i < 20; ++i)
        REQUIRE(table.write_next());
    CHECK(table.talk().verdict(wait_for_messages(redis, "singles", 40)) == "");
    CHECK(table.talk().verdict(wait_for_messages(redis, "groups", 40)) == "");
}

TEST_CASE("a Postgres connection cut again and again: none lost, none twice, all in order") {
    support::tcp_gate gate(shared_postgres().port());
    auto& redis = shared_redis();
    message_table table(shared_postgres().url());
    running_postrider bridge({.postgres_url = postgres_at(gate.port()),
                              .redis_url = redis.url(),
                              .file = message_table::routes()});
    INFO(bridge.end_of_log());
    REQUIRE(bridge.becomes_ready());
    for (int cut = 0; cut < 4; ++cut) {
        const auto before = bridge.database_reconnects();
        // In the middle of what the server sends of these.
        gate.cut_after(1500, support::tcp_gate::direction::to_client);
        for (int i = 0; i < 30; ++i)
            REQUIRE(table.write_next());
        REQUIRE(bridge.reconnects_after(before));
    }
    CHECK(table.talk().verdict(wait_for_messages(redis, "singles", 120)) == "");
    CHECK(table.talk().verdict(wait_for_messages(redis, "groups", 120)) == "");
}

}  // namespace
}  // namespace postrider::test
