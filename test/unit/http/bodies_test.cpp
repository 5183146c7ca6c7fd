#include "http/bodies.hpp"

#include <doctest/doctest.h>

using namespace postrider;
using namespace std::chrono_literals;

namespace {

const http::moment noon{.now = core::wall::time_point{} + 12h + 345ms, .uptime = 61'500ms};

http::health good() {
    http::health h;
    h.overall = http::overall::up;
    h.database = {.up = true, .latency_ms = 1.25, .since = core::wall::time_point{} + 1h, .detail = ""};
    h.redis = {.up = true, .latency_ms = 0.5, .since = core::wall::time_point{} + 2h, .detail = ""};
    h.listener = {
        .up = true, .latency_ms = std::nullopt, .since = core::wall::time_point{} + 3h, .detail = ""};
    return h;
}

}  // namespace

TEST_CASE("health says healthy with both servers connected") {
    CHECK(http::health_body(good(), "1.2.3", noon) ==
          R"({"status":"healthy","redis":{"status":"connected","latency_ms":0.5},)"
          R"("database":{"status":"connected","latency_ms":1.25},"uptime_seconds":61.5,"version":"1.2.3",)"
          R"("timestamp":"1970-01-01T12:00:00.345Z"})");
}

TEST_CASE("health says degraded and what is disconnected") {
    auto h = good();
    h.overall = http::overall::degraded;
    h.redis = {};
    CHECK(http::health_body(h, "1", noon) ==
          R"({"status":"degraded","redis":{"status":"disconnected","latency_ms":null},)"
          R"("database":{"status":"connected","latency_ms":1.25},"uptime_seconds":61.5,"version":"1",)"
          R"("timestamp":"1970-01-01T12:00:00.345Z"})");
}

TEST_CASE("readiness names each component, since when and why") {
    auto h = good();
    h.overall = http::overall::degraded;
    h.role = "standby";
    h.redis = {.up = false, .latency_ms = std::nullopt, .since = {}, .detail = "connection \"refused\""};
    CHECK(
        http::readiness_body(h) ==
        R"({"overall":"degraded","components":{)"
        R"("database":{"status":"up","latency_ms":1.25,"since":"1970-01-01T01:00:00.000Z"},)"
        R"("redis":{"status":"down","latency_ms":null,"since":null,"detail":"connection \"refused\""},)"
        R"("listener":{"status":"up","latency_ms":null,"since":"1970-01-01T03:00:00.000Z"}},"role":"standby"})");
}

TEST_CASE("readiness tells each overall state, and that it is stopping") {
    auto h = good();
    CHECK(http::readiness_body(h).starts_with(R"({"overall":"up",)"));
    CHECK(http::readiness_body(h).find("stopping") == std::string::npos);
    h.overall = http::overall::down;
    h.stopping = true;
    CHECK(http::readiness_body(h).starts_with(R"({"overall":"down",)"));
    CHECK(http::readiness_body(h).ends_with(R"(,"stopping":true})"));
}

TEST_CASE("Redis statistics carry every figure of the design") {
    http::redis_stats s;
    s.mode = "cluster";
    s.server = "a:1,b:2";
    s.ping_ms = 0.2;
    s.p50_ms = 1;
    s.p95_ms = 2;
    s.p99_ms = 3;
    s.max_ms = 4;
    s.connected_clients = 5;
    s.used_memory_human = "1.5M";
    s.total_commands_processed = 6;
    s.keyspace_hits = 2;
    s.keyspace_misses = 1;
    s.queues = {{"bot_messages", 7}, {"other", 0}};
    s.ledgers = {{"bot_messages", 2, 5}, {"other", 0, 0}};
    s.breaker = {"open", noon.now, "OOM"};
    s.reconnects = 8;
    s.retries = 9;
    CHECK(
        http::redis_stats_body(s, noon) ==
        R"({"status":"connected","mode":"cluster","server":"a:1,b:2",)"
        R"("latency_ms":0.2,"latency":{"p50_ms":1,"p95_ms":2,"p99_ms":3,"max_ms":4},)"
        R"("connected_clients":5,"used_memory_human":"1.5M","total_commands_processed":6,"keyspace_hits":2,)"
        R"("keyspace_misses":1,"hit_rate":0.6667,"queues":{"bot_messages":7,"other":0},"ledger":{)"
        R"("bot_messages":{"keys":2,"entries":5},"other":{"keys":0,"entries":0}},"breaker":{"state":"open",)"
        R"("since":"1970-01-01T12:00:00.345Z","reason":"OOM"},)"
        R"("reconnects":8,"retries":9,"timestamp":"1970-01-01T12:00:00.345Z"})");
}

TEST_CASE("a breaker that never opened is closed since ever and for no reason") {
    CHECK(http::redis_stats_body({}, noon).find(
              R"("breaker":{"state":"closed","since":null,"reason":null},)") != std::string::npos);
}

TEST_CASE("the hit rate before the first look-up is 0") {
    CHECK(http::redis_stats_body({}, noon).find(R"("hit_rate":0,)") != std::string::npos);
}

TEST_CASE("a ping and its failure") {
    CHECK(http::redis_ping_body(0.25) == R"({"status":"connected","message":"pong","latency_ms":0.25})");
    CHECK(http::redis_away_body("gone") == R"({"error":"gone","status":"disconnected"})");
}

TEST_CASE("statistics carry each route's counts, the open ones in sum, and the last error") {
    http::route_stats a;
    a.name = "bot_events";
    a.policy = "group";
    a.events = 1;
    a.pushed = 2;
    a.messages = 3;
    a.duplicates = 4;
    a.skipped = 5;
    a.cancelled = 6;
    a.open = 7;
    a.rejected = {{"not_json", 8}, {"no_key", 9}};
    a.failed = 10;
    http::route_stats b;
    b.name = "new_match";
    b.policy = "delay";
    b.open = 11;
    http::stats s;
    s.routes = {a, b};
    s.waiting = 12;
    s.waiting_bytes = 13;
    s.parking = true;
    s.parked = 21;
    s.letters = {.store = "postgres",
                 .taken = 9,
                 .stored = 7,
                 .in_memory = 1,
                 .dropped = 1,
                 .by_reason = {{"no_key", 9}}};
    s.events_per_second = 1.5;
    s.deliveries_per_second = 0.1;
    s.database_reconnects = 14;
    CHECK(
        http::stats_body(s, noon) ==
        R"({"routes":[{"name":"bot_events","policy":"group","events":1,"pushed":2,"messages":3,"duplicates":4,)"
        R"("skipped":5,"cancelled":6,"open":7,"rejected":{"not_json":8,"no_key":9},"failed":10},)"
        R"({"name":"new_match","policy":"delay","events":0,"pushed":0,"messages":0,"duplicates":0,)"
        R"("skipped":0,"cancelled":0,"open":11,"rejected":{},"failed":0}],"open":18,"waiting":12,)"
        R"("waiting_bytes":13,"parking":true,"parked":21,"dead_letters":{"store":"postgres","taken":9,"stored":7,"in_memory":1,"dropped":1,)"
        R"("by_reason":{"no_key":9}},"events_per_second":1.5,"deliveries_per_second":0.1,"database_reconnects":14,)"
        R"("last_error":null,"uptime_seconds":61.5,"timestamp":"1970-01-01T12:00:00.345Z"})");
    s.last_error = "boom";
    s.last_error_at = core::wall::time_point{} + 1s;
    CHECK(http::stats_body(s, noon).find(
              R"("last_error":{"message":"boom","at":"1970-01-01T00:00:01.000Z"},)") != std::string::npos);
}

TEST_CASE("the state is everything the dashboard shows, in one line") {
    http::live l;
    l.breaker.state = "open";
    l.breaker.since = core::wall::time_point{} + 1h;
    l.breaker.reason = "OOM";
    l.redis_round_trips = 4;
    l.redis_seconds = 0.0025;
    l.group_sizes = {{1, 7}, {std::nullopt, 2}};
    l.next_due = {{.route = "chat", .key = "a\n\"b\"", .messages = 3, .due_in = 1500ms},
                  {.route = "chat", .key = "late", .messages = 1, .due_in = -2ms}};
    const auto h = good();
    const http::stats s;
    const auto text = http::state_body(h, s, l, "1.2.3", noon);
    CHECK(text == R"({"version":"1.2.3","readiness":)" + http::readiness_body(h) + R"(,"stats":)" +
                      http::stats_body(s, noon) +
                      R"(,"breaker":{"state":"open","since":"1970-01-01T01:00:00.000Z","reason":"OOM"},)"
                      R"("redis_round_trips":{"count":4,"seconds":0.0025},)"
                      R"("group_sizes":[{"up_to":1,"count":7},{"up_to":null,"count":2}],)"
                      R"("next_due":[{"route":"chat","key":"a\n\"b\"","messages":3,"due_in_ms":1500},)"
                      R"({"route":"chat","key":"late","messages":1,"due_in_ms":-2}]})");
    CHECK(text.find('\n') == std::string::npos);
}
