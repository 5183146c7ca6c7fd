#include "http/endpoints.hpp"

#include <doctest/doctest.h>

#include <stdexcept>

using namespace postrider;

namespace {

asio::awaitable<core::result<http::redis_stats>> counted_stats(int& calls, bool away) {
    ++calls;
    asio::steady_timer turn(co_await asio::this_coro::executor, std::chrono::milliseconds(1));
    co_await turn.async_wait(asio::use_awaitable);
    core::failure gone{core::errc::connection_lost, "Redis is away"};
    if (away) co_return gone;
    http::redis_stats s;
    s.connected_clients = 42;
    co_return s;
}

asio::awaitable<core::result<double>> counted_ping(int& calls, bool away) {
    ++calls;
    asio::steady_timer turn(co_await asio::this_coro::executor, std::chrono::milliseconds(1));
    co_await turn.async_wait(asio::use_awaitable);
    core::failure gone{core::errc::connection_lost, "Redis is away"};
    if (away) co_return gone;
    co_return 0.5;
}

asio::awaitable<core::result<http::cache_stats>> some_cache_stats() {
    http::cache_stats s;
    s.mode = "memory";
    s.entries = 3;
    co_return s;
}

struct fake {
    http::health health;
    http::stats stats;
    bool away = false;
    int stats_calls = 0;
    int ping_calls = 0;
    asio::io_context context;
    http::handler handler;

    fake() {
        http::view v;
        v.health = [this] { return health; };
        v.stats = [this] { return stats; };
        v.live = [] { return http::live{}; };
        v.metrics = [] { return std::string("some_total 1\n"); };
        v.redis_stats = [this] { return counted_stats(stats_calls, away); };
        v.redis_ping = [this] { return counted_ping(ping_calls, away); };
        v.cache_stats = [] { return some_cache_stats(); };
        v.started = core::steady::now();
        v.version = "9.8.7";
        handler = http::make_endpoints(std::move(v));
    }

    void start(std::string method, std::string path, http::response& into) {
        http::request asked;
        asked.method = std::move(method);
        asked.path = std::move(path);
        asio::co_spawn(context, handler(std::move(asked)),
                       [&into](const std::exception_ptr& e, http::response r) {
                           if (e) std::rethrow_exception(e);
                           into = std::move(r);
                       });
    }

    http::response ask(std::string method, std::string path) {
        http::response r;
        r.status = 0;
        start(std::move(method), std::move(path), r);
        context.restart();
        context.run();
        return r;
    }
};

bool has(const http::response& r, std::string_view part) {
    return r.body.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("health is 200 even with everything down, under both of its names") {
    fake f;
    for (const auto* path : {"/health", "/api/health"}) {
        const auto r = f.ask("GET", path);
        CHECK(r.status == 200);
        CHECK(r.content_type == "application/json");
        CHECK(has(r, R"("status":"degraded")"));
        CHECK(has(r, R"("version":"9.8.7")"));
    }
    CHECK(f.ask("GET", "/health/liveness").body == R"({"status":"alive"})");
}

TEST_CASE("readiness is 200 only when all is up and nothing stops") {
    fake f;
    CHECK(f.ask("GET", "/health/readiness").status == 503);
    f.health.overall = http::overall::degraded;
    CHECK(f.ask("GET", "/health/readiness").status == 503);
    f.health.overall = http::overall::up;
    CHECK(f.ask("GET", "/health/readiness").status == 200);
    f.health.stopping = true;
    const auto r = f.ask("GET", "/health/readiness");
    CHECK(r.status == 503);
    CHECK(has(r, R"("stopping":true)"));
}

TEST_CASE("statistics are shown") {
    fake f;
    f.stats.waiting = 77;
    const auto r = f.ask("GET", "/stats");
    CHECK(r.status == 200);
    CHECK(has(r, R"("waiting":77,)"));
}

TEST_CASE("events are one state a second, as a server-sent event") {
    fake f;
    f.stats.waiting = 77;
    const auto r = f.ask("GET", "/events");
    CHECK(r.content_type == "text/event-stream");
    REQUIRE(r.stream);
    REQUIRE(r.fields.size() == 1);
    CHECK(r.fields[0] == std::pair<std::string, std::string>("X-Accel-Buffering", "no"));
    CHECK(f.ask("GET", "/events").stream == r.stream);
    const auto now = core::steady::now();
    const auto text = *r.stream->at(now);
    CHECK(text.starts_with("event: state\ndata: {\"version\":\"9.8.7\",\"readiness\":{"));
    CHECK(text.find("\"waiting\":77,") != std::string::npos);
    CHECK(text.ends_with("}\n\n"));
    CHECK(text.find('\n', text.find("data")) == text.size() - 2);
    CHECK(r.stream->next() == now + std::chrono::seconds(1));
    CHECK(f.ask("POST", "/events").allow == "GET, HEAD");
}

TEST_CASE("the dashboard is a page of HTML") {
    fake f;
    const auto r = f.ask("GET", "/");
    CHECK(r.status == 200);
    CHECK(r.content_type == "text/html; charset=utf-8");
    CHECK(has(r, "<title>Postrider</title>"));
    CHECK(f.ask("POST", "/").allow == "GET, HEAD");
}

TEST_CASE("the cache tells its mode and counts") {
    fake f;
    CHECK(f.ask("GET", "/cache/stats").body ==
          R"({"mode":"memory","entries":3,"redisAvailable":false,"hits":0,"misses":0,"evictions":0,)"
          R"("redis":{"hits":0,"misses":0},"memory":{"hits":0,"misses":0,"evictions":0,"bytes":0}})");
}

TEST_CASE("the Redis endpoints answer from Redis, and 503 without it") {
    fake f;
    CHECK(has(f.ask("GET", "/redis/stats"), R"("connected_clients":42)"));
    CHECK(f.ask("GET", "/redis/ping").body == R"({"status":"connected","message":"pong","latency_ms":0.5})");
    f.away = true;
    for (const auto* path : {"/redis/stats", "/redis/ping"}) {
        const auto r = f.ask("GET", path);
        CHECK(r.status == 503);
        CHECK(r.body == R"({"error":"Redis is away","status":"disconnected"})");
    }
}

TEST_CASE("callers of one moment share one round trip, later ones make another") {
    fake f;
    std::vector<http::response> answers(200);
    for (std::size_t i = 0; i < 200; ++i)
        f.start("GET", i % 2 == 0 ? "/redis/stats" : "/redis/ping", answers[i]);
    f.context.run();
    for (const auto& r : answers)
        CHECK((has(r, "pong") || has(r, "connected_clients")));
    CHECK(f.stats_calls == 1);
    CHECK(f.ping_calls == 1);
    f.ask("GET", "/redis/stats");
    CHECK(f.stats_calls == 2);
}

TEST_CASE("HEAD is answered like GET") {
    fake f;
    CHECK(f.ask("HEAD", "/health/liveness").body == f.ask("GET", "/health/liveness").body);
}

TEST_CASE("a wrong method is 405 and names the right ones, on every path") {
    fake f;
    for (const auto* path : {"/health", "/api/health", "/health/liveness", "/health/readiness",
                             "/redis/stats", "/redis/ping", "/stats", "/cache/stats"}) {
        CAPTURE(path);
        const auto r = f.ask("POST", path);
        CHECK(r.status == 405);
        CHECK(r.allow == "GET, HEAD");
        CHECK(r.body.starts_with(R"({"error":")"));
        CHECK(f.ask("GET", path).status != 405);
        CHECK(f.ask("get", path).status == 405);
    }
    CHECK(f.stats_calls == 1);
}

TEST_CASE("the metrics are told in Prometheus' own format") {
    fake f;
    const auto page = f.ask("GET", "/metrics");
    CHECK(page.status == 200);
    CHECK(page.content_type == "text/plain; version=0.0.4; charset=utf-8");
    CHECK(page.body == "some_total 1\n");
    CHECK(f.ask("POST", "/metrics").status == 405);
}

TEST_CASE("an unknown path is 404, whatever the method") {
    fake f;
    for (const auto* path : {"/event", "/health/", "/Health", "/metrics/", "*", ""}) {
        CAPTURE(path);
        CHECK(f.ask("GET", path).status == 404);
        CHECK(f.ask("DELETE", path).status == 404);
        CHECK(f.ask("GET", path).allow.empty());
    }
}

TEST_CASE("the endpoints outlive the handler's copies") {
    fake f;
    http::response r;
    auto copy = f.handler;
    f.handler = nullptr;
    asio::co_spawn(
        f.context,
        copy({.method = "GET", .path = "/redis/ping", .query = "", .authorization = "", .body = ""}),
        [&r](const std::exception_ptr&, http::response got) { r = std::move(got); });
    f.context.run();
    CHECK(has(r, "pong"));
}
