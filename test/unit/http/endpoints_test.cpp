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
        v.redis_stats = [this] { return counted_stats(stats_calls, away); };
        v.redis_ping = [this] { return counted_ping(ping_calls, away); };
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
                             "/redis/stats", "/redis/ping", "/stats"}) {
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

TEST_CASE("an unknown path is 404, whatever the method") {
    fake f;
    for (const auto* path : {"/", "/health/", "/Health", "/metrics", "*", ""}) {
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
