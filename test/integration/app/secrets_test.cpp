// Passwords and the token reach no surface, however much goes wrong.
#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <csignal>

#include "running_postrider.hpp"
#include "servers.hpp"
#include "support/eventually.hpp"
#include "support/ports.hpp"

namespace postrider::test {
namespace {

constexpr const char* token = "tokenS3cret";
constexpr const char* routes = R"(
[[route]]
name = "wrong"
channel = "secrets"
policy = "immediate"
key = "/k"
to = "not_a_list"
[[route]]
name = "held"
channel = "held"
policy = "group"
key = "/k"
window = "1h"
to = "groups"
)";
// What Postgres says to this query quotes it.
constexpr const char* failing = R"(
[[route]]
name = "caught_up"
channel = "caught_up"
policy = "immediate"
id = "/id"
time = "/at"
to = "singles"
catch_up = "SELECT ('redis://u:payloadS3cret@h/' || $1::timestamptz)::int::text"
)";

// The key of an open group, longer than what is shown of it, which ends in the middle of the password.
std::string long_key() {
    return std::string(100, 'k') + "redis://u:payloadS3cret" + std::string(100, 'x') + "@h/0";
}

void check_no_secret(const std::string& where, const std::string& text) {
    for (const std::string secret : {"pgS3cret", "redisS3cret", token, "payloadS3cret"})
        CHECK_MESSAGE(text.find(secret) == std::string::npos, where << " holds " << secret << ":\n" << text);
}

// What a dashboard is told first.
std::string first_event(const running_postrider& bridge) {
    raw_connection stream(bridge.port(), "GET /events HTTP/1.1\r\nHost: test\r\n\r\n");
    std::string all;
    while (all.find("\n\n", all.find("event: state")) == std::string::npos) {
        const auto more = stream.receive_some();
        if (more.empty()) break;
        all += more;
    }
    return all;
}

// Waits until a dashboard has been told all of them; over one stream, because there may be no more than so
// many.
bool stream_tells(const running_postrider& bridge, const std::vector<std::string>& words) {
    raw_connection stream(bridge.port(), "GET /events HTTP/1.1\r\nHost: test\r\n\r\n");
    const auto limit = std::chrono::steady_clock::now() + 60s;
    std::string all;
    const auto told = [&](const std::string& word) { return all.find(word) != std::string::npos; };
    while (!std::all_of(words.begin(), words.end(), told)) {
        const auto more = stream.receive_some();
        if (more.empty() || std::chrono::steady_clock::now() > limit) return false;
        all += more;
    }
    return true;
}

void check_surfaces(const running_postrider& bridge, const std::string& when) {
    for (const auto* path :
         {"/", "/health", "/health/liveness", "/health/readiness", "/redis/stats", "/redis/ping", "/stats",
          "/cache/stats", "/metrics", "/dead-letters", "/nowhere"})
        check_no_secret(when + ", " + path, bridge.get(path).body);
    const auto event = first_event(bridge);
    CHECK(event.find("\"next_due\"") != std::string::npos);
    check_no_secret(when + ", /events", event);
    check_no_secret(when + ", log", bridge.log());
}

postrider_settings settings(std::uint16_t postgres, std::uint16_t redis, const std::string& format,
                            const char* file = routes) {
    return {
        .postgres_url = "postgresql://postgres:pgS3cret@127.0.0.1:" + std::to_string(postgres) + "/postgres",
        .redis_url = "redis://default:redisS3cret@127.0.0.1:" + std::to_string(redis),
        .file = file,
        .environment = {{"ADMIN_TOKEN", token}, {"LOG_FORMAT", format}, {"LOG_LEVEL", "trace"}},
        .reconnects_quickly = true};
}

TEST_CASE("no secret is seen in the log or at any endpoint while events fail and servers go") {
    std::string format;
    SUBCASE("in text") {
        format = "text";
    }
    SUBCASE("in JSON") {
        format = "json";
    }
    support::redis_server redis({.password = "redisS3cret"});
    redis.command({"SET", "not_a_list", "text"});
    support::sql database(shared_postgres().url());
    database.run("DROP SCHEMA IF EXISTS postrider CASCADE");
    running_postrider bridge(settings(shared_postgres().port(), redis.port(), format));
    INFO(bridge.end_of_log());
    REQUIRE(bridge.becomes_ready());
    database.notify("secrets", R"(no JSON: redis://u:payloadS3cret@h/0 password=payloadS3cret)");
    REQUIRE(bridge.answers("/stats", "event on channel 'secrets' left out"));
    check_surfaces(bridge, "after a bad event");
    database.notify("secrets", R"({"k":"redis://u:payloadS3cret@h/0"})");
    REQUIRE(bridge.answers("/stats", "\"failed\":1"));
    check_surfaces(bridge, "after a refused push");
    for (const auto& key : {std::string("redis://u:payloadS3cret@h/0"), long_key()})
        database.notify("held", R"({"k":")" + key + "\"}");
    // A second of the stream may be over before they are in it.
    CHECK(stream_tells(bridge, {"\"redis://***@h/0\"", "kkredis://***@h/0\""}));
    check_surfaces(bridge, "with open groups");
    // Its holder sees the letters, and what Redis said, but not the passwords on the way to it.
    http_answer letters;
    CHECK(support::eventually([&] {
        letters = http_ask(bridge.port(), "GET", "/dead-letters", token);
        return letters.body.find("WRONGTYPE") != std::string::npos;
    }));
    for (const std::string secret : {"pgS3cret", "redisS3cret", token})
        CHECK(letters.body.find(secret) == std::string::npos);
    CHECK(http_ask(bridge.port(), "GET", "/dead-letters", "tokenS3cretX").status == 401);

    database.run(
        "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND mode = "
        "'ExclusiveLock' AND granted");
    REQUIRE(bridge.logs("postgres: connection lost"));
    redis.stop();
    REQUIRE(bridge.logs("/0: connection lost: "));
    REQUIRE(bridge.logs("attempt 2 failed"));
    check_surfaces(bridge, "without Redis");
    bridge.signal(SIGTERM);
    bridge.ends();
    check_no_secret("the whole log", bridge.log());
    // What is parked there would be the next bridge's.
    database.run("DROP SCHEMA IF EXISTS postrider CASCADE");
}

TEST_CASE("what Postgres quotes of a query is shown without its secrets") {
    running_postrider bridge(settings(shared_postgres().port(), shared_redis().port(), "text", failing));
    INFO(bridge.end_of_log());
    REQUIRE(bridge.answers("/health/readiness", "redis://***@h/"));
    check_surfaces(bridge, "after a failed catch-up");
}

TEST_CASE("no secret is seen where neither server is there, or takes the password") {
    support::redis_server redis({.password = "another"});
    running_postrider bridge(settings(support::free_port(), redis.port(), "json"));
    INFO(bridge.end_of_log());
    REQUIRE(bridge.logs("Redis refused the user or password"));
    REQUIRE(bridge.logs("postgres: attempt 1 failed"));
    check_surfaces(bridge, "refused");
    running_postrider check(settings(support::free_port(), redis.port(), "text"), "check");
    CHECK(check.ends() == 1);
    check_no_secret("check", check.log());
    running_postrider letters(settings(support::free_port(), redis.port(), "text"), "schema");
    letters.ends();
    check_no_secret("schema", letters.log());
}

}  // namespace
}  // namespace postrider::test
