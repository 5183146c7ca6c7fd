// What the endpoints of the real program say, against what the servers say themselves.
#include <doctest/doctest.h>

#include <boost/json.hpp>

#include "running_postrider.hpp"
#include "servers.hpp"
#include "support/eventually.hpp"

namespace postrider::test {
namespace {

namespace json = boost::json;

struct running {
    support::redis_server redis;
    running_postrider bridge{{.postgres_url = shared_postgres().url(), .redis_url = redis.url()}};

    json::value body(std::string_view path) const { return json::parse(bridge.get(path).body); }
};

// A number of the server's own INFO.
std::int64_t info(support::redis_server& redis, const std::string& field) {
    const auto text = redis.command({"INFO"}).at(0);
    const auto at = text.find("\n" + field + ":");
    REQUIRE(at != std::string::npos);
    return std::stoll(text.substr(at + field.size() + 2));
}

void look_up(support::redis_server& redis, const std::string& key, std::size_t times) {
    std::vector<std::string> words(times, key);
    words.insert(words.begin(), "MGET");
    redis.command(words);
}

double number(const json::value& body, std::string_view pointer) {
    return body.at_pointer(pointer).to_number<double>();
}

std::string text(const json::value& body, std::string_view pointer) {
    return std::string(body.at_pointer(pointer).as_string());
}

bool is_positive(const json::value& value) {
    return value.is_number() && value.to_number<double>() > 0;
}

TEST_CASE("/redis/stats says what Redis says of itself") {
    running r;
    INFO(r.bridge.end_of_log());
    REQUIRE(r.bridge.becomes_ready());
    r.redis.command({"RPUSH", "bot_messages", "a", "b", "c"});
    r.redis.command({"SET", "there", "yes"});
    look_up(r.redis, "there", 3'000);
    look_up(r.redis, "missing", 1'000);

    // The service goes on asking, so its figures lie between the server's before and after.
    const char* const fields[] = {"keyspace_hits", "keyspace_misses", "total_commands_processed"};
    std::vector<std::int64_t> before;
    for (const auto* field : fields)
        before.push_back(info(r.redis, field));
    const auto stats = r.body("/redis/stats");
    INFO(json::serialize(stats));
    for (std::size_t i = 0; i < before.size(); ++i) {
        CAPTURE(fields[i]);
        const auto told = stats.at(fields[i]).to_number<std::int64_t>();
        CHECK(before[i] <= told);
        CHECK(told <= info(r.redis, fields[i]));
    }
    const double hits = number(stats, "/keyspace_hits");
    CHECK(number(stats, "/hit_rate") ==
          doctest::Approx(hits / (hits + number(stats, "/keyspace_misses"))).epsilon(0.001));
    CHECK(stats.at("queues") == json::parse(R"({"bot_messages":3})"));
    CHECK(text(stats, "/used_memory_human").find_first_of("KM") != std::string::npos);
    CHECK(text(stats, "/status") == "connected");
    CHECK(text(stats, "/mode") == "single");
    CHECK(text(stats, "/server") == "127.0.0.1:" + std::to_string(r.redis.port()));
    CHECK(text(stats, "/breaker/state") == "closed");
    CHECK(support::eventually([&] {
        return r.body("/redis/stats").at("connected_clients").to_number<std::int64_t>() ==
               info(r.redis, "connected_clients");
    }));
}

TEST_CASE("/redis/stats measures a round trip, spreads the recent ones, and counts the reconnects") {
    running r;
    INFO(r.bridge.end_of_log());
    REQUIRE(r.bridge.becomes_ready());
    REQUIRE(support::eventually([&] { return number(r.body("/redis/stats"), "/latency/max_ms") > 0; }));
    const auto stats = r.body("/redis/stats");
    CHECK(number(stats, "/latency_ms") > 0);
    CHECK(number(stats, "/latency/p50_ms") > 0);
    CHECK(number(stats, "/latency/p50_ms") <= number(stats, "/latency/p95_ms"));
    CHECK(number(stats, "/latency/p95_ms") <= number(stats, "/latency/p99_ms"));
    CHECK(number(stats, "/latency/p99_ms") <= number(stats, "/latency/max_ms"));
    CHECK(number(stats, "/reconnects") == 0);
    CHECK(number(stats, "/retries") == 0);
    r.redis.command({"CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"});
    CHECK(r.bridge.answers("/redis/stats", R"("reconnects":1)"));
}

TEST_CASE("/health, /api/health and /redis/ping say how both servers are, also when Redis is away") {
    running r;
    INFO(r.bridge.end_of_log());
    REQUIRE(r.bridge.becomes_ready());
    for (const auto* path : {"/health", "/api/health"}) {
        CAPTURE(path);
        json::value health;
        CHECK(support::eventually([&] {
            health = r.body(path);
            return is_positive(health.at_pointer("/redis/latency_ms")) &&
                   is_positive(health.at_pointer("/database/latency_ms"));
        }));
        INFO(json::serialize(health));
        CHECK(text(health, "/status") == "healthy");
        CHECK(text(health, "/redis/status") == "connected");
        CHECK(text(health, "/database/status") == "connected");
        CHECK(is_positive(health.at("uptime_seconds")));
        CHECK(text(health, "/version") == "0.1.0");
    }
    CHECK(r.bridge.get("/redis/ping").status == 200);
    const auto ping = r.body("/redis/ping");
    CHECK(text(ping, "/status") == "connected");
    CHECK(text(ping, "/message") == "pong");
    CHECK(is_positive(ping.at("latency_ms")));

    r.redis.stop();
    for (const auto* path : {"/health", "/api/health"}) {
        CAPTURE(path);
        CHECK(r.bridge.answers(path, R"("redis":{"status":"disconnected","latency_ms":null})"));
        CHECK(r.bridge.get(path).status == 200);
        CHECK(text(r.body(path), "/status") == "degraded");
        CHECK(text(r.body(path), "/database/status") == "connected");
    }
    for (const auto* path : {"/redis/ping", "/redis/stats"}) {
        CAPTURE(path);
        CHECK(r.bridge.get(path).status == 503);
        CHECK(text(r.body(path), "/status") == "disconnected");
        CHECK(text(r.body(path), "/error").find("no connection to ") == 0);
    }
}

TEST_CASE("HEAD is answered without a body, other methods with 405 and Allow, unknown paths with 404") {
    running r;
    INFO(r.bridge.end_of_log());
    REQUIRE(r.bridge.becomes_ready());
    for (const auto* path : {"/", "/health", "/api/health", "/health/liveness", "/health/readiness",
                             "/redis/stats", "/redis/ping", "/stats", "/metrics", "/cache/stats"}) {
        CAPTURE(path);
        const auto head = http_ask(r.bridge.port(), "HEAD", path);
        CHECK(head.status == 200);
        CHECK(head.body.empty());
        CHECK(head.head.find("\r\nContent-Length: ") != std::string::npos);
        CHECK(head.head.find("\r\nContent-Length: 0") == std::string::npos);
        for (const auto* method : {"POST", "PUT", "DELETE"}) {
            CAPTURE(method);
            const auto refused = http_ask(r.bridge.port(), method, path);
            CHECK(refused.status == 405);
            CHECK(refused.head.find("\r\nAllow: GET, HEAD") != std::string::npos);
            CHECK(text(json::parse(refused.body), "/error") == "this endpoint answers to GET, HEAD only");
        }
    }
    for (const auto* path : {"/nothing", "/health/", "/redis", "/dead-letters"}) {
        CAPTURE(path);
        const auto unknown = r.bridge.get(path);
        CHECK(unknown.status == 404);
        CHECK(unknown.head.find("\r\nContent-Type: application/json") != std::string::npos);
        CHECK_FALSE(text(json::parse(unknown.body), "/error").empty());
    }
}

}  // namespace
}  // namespace postrider::test
