// A Redis that refuses again and again is left alone for a while, and everybody can see it.
#include <doctest/doctest.h>

#include <csignal>
#include <thread>

#include "chat.hpp"
#include "running_postrider.hpp"
#include "servers.hpp"
#include "support/eventually.hpp"
#include "support/tcp_gate.hpp"

namespace postrider::test {
namespace {

constexpr const char* routes = R"(
[[route]]
name = "single"
channel = "chat"
policy = "immediate"
to = "singles"
[[route]]
name = "grouped"
channel = "groups"
policy = "group"
key = "/match_id"
window = "1h"
to = "singles"
)";

// The lines of /metrics for a breaker in this state.
std::string in_state(const std::string& now) {
    std::string lines;
    for (const std::string state : {"closed", "half_open", "open"})
        lines += "postrider_breaker_state{target=\"singles\",state=\"" + state + "\"} " +
                 (state == now ? "1\n" : "0\n");
    return lines;
}

struct trial {
    // Opened by two failures, for so long.
    explicit trial(const std::string& open)
        : database(shared_postgres().url()),
          bridge({.postgres_url = shared_postgres().url(),
                  .redis_url = redis.url(),
                  .file = routes,
                  .environment = {{"REDIS_BREAKER_FAILURES", "2"}, {"REDIS_BREAKER_OPEN", open}},
                  .reconnects_quickly = true}) {
        REQUIRE_MESSAGE(bridge.becomes_ready(), bridge.end_of_log());
    }
    void send() { database.notify("chat", talk.next("k" + std::to_string(talk.total() % 5))); }
    void take_memory(bool away) { redis.command({"CONFIG", "SET", "maxmemory", away ? "1" : "0"}); }
    // Calls of scripts so far, by whatever name.
    std::string scripts() {
        const auto stats = redis.command({"INFO", "commandstats"}).front();
        const auto at = stats.find("cmdstat_evalsha:");
        return at == std::string::npos ? "" : stats.substr(at, stats.find(',', at) - at);
    }

    support::redis_server redis;
    support::sql database;
    running_postrider bridge;
    chat talk;
};

TEST_CASE("while the breaker is open nothing is pushed or saved; readiness, /redis/stats and log say so") {
    // Longer than the test, so that what is seen is seen in the one state.
    trial t("10m");
    INFO(t.bridge.end_of_log());
    CHECK(t.bridge.answers("/redis/stats", R"("breaker":{"state":"closed","since":null,"reason":null})"));
    CHECK(t.bridge.answers("/metrics", in_state("closed")));
    t.send();
    REQUIRE(wait_for_list(t.redis, "singles", 1).size() == 1);
    t.take_memory(true);
    t.send();
    REQUIRE(t.bridge.answers("/redis/stats", R"("breaker":{"state":"open","since":"20)"));
    CHECK(t.bridge.answers("/redis/stats", R"(","reason":"singles: OOM )"));
    CHECK(t.bridge.answers("/metrics", in_state("open")));
    CHECK(t.bridge.logs("WARNING redis: the circuit breaker of singles is open, nothing is pushed for 10 m"));
    const auto readiness = t.bridge.get("/health/readiness");
    CHECK(readiness.status == 503);
    CHECK(readiness.body.starts_with(R"({"overall":"degraded")"));
    CHECK(readiness.body.find(R"("detail":"the circuit breaker is open since 20)") != std::string::npos);
    CHECK(readiness.body.find(": singles: OOM ") != std::string::npos);

    const auto before = t.scripts();
    CHECK(before.starts_with("cmdstat_evalsha:calls="));
    t.send();
    t.database.notify("groups", R"({"match_id":"g"})");
    REQUIRE(t.bridge.answers("/stats", R"("waiting":2)"));
    REQUIRE(t.bridge.answers("/stats", R"("open":1)"));
    // Without the breaker each would be sent within its retry time of 400 ms; this is no wait for anything.
    std::this_thread::sleep_for(1500ms);
    CHECK(t.scripts() == before);

    // A stop cannot wait that long: it tries once more.
    t.take_memory(false);
    t.bridge.signal(SIGTERM);
    CHECK(t.bridge.ends() == 0);
    CHECK(t.talk.verdict(t.redis.list("singles")) == "");
    CHECK(t.redis.integer({"EXISTS", "context@grouped:g"}) == 1);
}

TEST_CASE("the breaker tries one batch when its time is over, and closes when Redis has taken it") {
    trial t("300ms");
    INFO(t.bridge.end_of_log());
    t.take_memory(true);
    t.send();
    CHECK(t.bridge.logs("singles is open, nothing is pushed for 300 ms"));
    CHECK(t.bridge.logs("WARNING redis: the circuit breaker of singles is half-open: one batch is tried"));
    CHECK(t.bridge.logs("singles is open, again nothing is pushed for 600 ms"));
    for (int i = 0; i < 20; ++i)
        t.send();
    t.take_memory(false);
    CHECK(t.bridge.logs("WARNING redis: the circuit breaker of singles is closed"));
    CHECK(t.talk.verdict(wait_for_list(t.redis, "singles", t.talk.total())) == "");
    CHECK(t.bridge.answers("/redis/stats", R"("breaker":{"state":"closed","since":"20)"));
    CHECK(t.bridge.answers("/metrics", in_state("closed")));
    CHECK(t.bridge.becomes_ready());
}

TEST_CASE("as long as the one batch has no answer the breaker is half-open") {
    support::redis_server redis;
    support::tcp_gate gate(redis.port());
    support::sql database(shared_postgres().url());
    running_postrider bridge({.postgres_url = shared_postgres().url(),
                              .redis_url = redis_at(gate.port()),
                              .file = routes,
                              .environment = {{"REDIS_BREAKER_FAILURES", "2"},
                                              {"REDIS_BREAKER_OPEN", "300ms"},
                                              {"REDIS_SOCKET_TIMEOUT", "60"}}});
    INFO(bridge.end_of_log());
    REQUIRE(bridge.becomes_ready());
    redis.command({"CONFIG", "SET", "maxmemory", "1"});
    chat talk;
    database.notify("chat", talk.next("k"));
    REQUIRE(bridge.logs("singles is open, nothing is pushed for 300 ms"));
    gate.stall(support::tcp_gate::direction::to_client);
    CHECK(bridge.answers("/metrics", in_state("half_open")));
    redis.command({"CONFIG", "SET", "maxmemory", "0"});
    gate.pass();
    CHECK(bridge.answers("/metrics", in_state("closed")));
    CHECK(talk.verdict(wait_for_list(redis, "singles", 1)) == "");
}

TEST_CASE("a server that comes back is tried at once, however long the breaker would stay open") {
    // Far longer than the test.
    trial t("10m");
    INFO(t.bridge.end_of_log());
    t.take_memory(true);
    t.send();
    REQUIRE(t.bridge.answers("/redis/stats", R"("breaker":{"state":"open","since":"20)"));
    t.redis.stop();
    t.send();
    // It starts with all its memory.
    t.redis.start();
    CHECK(t.bridge.logs(
        "WARNING redis: the circuit breaker of singles is half-open: connected anew, one batch is tried"));
    CHECK(t.talk.verdict(wait_for_list(t.redis, "singles", t.talk.total())) == "");
    CHECK(t.bridge.answers("/redis/stats", R"("breaker":{"state":"closed","since":"20)"));
}

TEST_CASE("what is refused for good does not open the breaker") {
    trial t("10m");
    t.redis.command({"SET", "singles", "no list"});
    for (int i = 0; i < 10; ++i)
        t.send();
    REQUIRE(t.bridge.answers("/stats", R"("failed":10)"));
    CHECK(t.bridge.answers("/redis/stats", R"("breaker":{"state":"closed","since":null,"reason":null})"));
    CHECK(t.bridge.answers("/metrics", in_state("closed")));
    CHECK(t.bridge.get("/health/readiness").status == 200);
}

}  // namespace
}  // namespace postrider::test
