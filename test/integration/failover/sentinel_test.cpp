#include <doctest/doctest.h>

#include "chat.hpp"
#include "running_postrider.hpp"
#include "servers.hpp"
#include "support/eventually.hpp"
#include "support/redis_sentinels.hpp"
#include "talking.hpp"

namespace postrider::test {
namespace {

using support::redis_sentinels;
using support::redis_server;

// The same events take both ways, and count when one replica has them too.
const std::string replicated = both_ways("150ms", "100ms", R"(
[redis]
command_timeout = "2s"
wait_replicas = 1
wait_timeout = "500ms"
)");

std::size_t count(const std::string& text, const std::string& words) {
    std::size_t found = 0;
    for (auto at = text.find(words); at != std::string::npos; at = text.find(words, at + 1))
        ++found;
    return found;
}

std::string at(const redis_server& server) {
    return "127.0.0.1:" + std::to_string(server.port());
}

// Whom the log names first; the sentinels may have named yet another meanwhile, on a machine that stood
// still.
redis_server& next_by_log(redis_sentinels& redis, const std::string& log) {
    const std::string words = "failover: the primary is 127.0.0.1:";
    const auto port = std::stoul(log.substr(log.find(words) + words.size()));
    return redis.at(static_cast<std::uint16_t>(port));
}

// Under load all the while: takes the primary away, waits for the failover, lets the old one come back, and
// looks at what the new one has.
void check_failover(redis_sentinels& redis, void (redis_server::*take_away)(),
                    void (redis_server::*bring_back)()) {
    support::sql database(shared_postgres().url());
    running_postrider bridge(
        {.postgres_url = shared_postgres().url(), .redis_url = redis.url(), .file = replicated});
    INFO(bridge.end_of_log());
    REQUIRE(bridge.becomes_ready());
    redis_server& old = redis.primary();
    CHECK(bridge.get("/redis/stats").body.find(R"("mode":"sentinel","server":")" + at(old) + '"') !=
          std::string::npos);

    chat talk;
    keep_talking(database, talk, 50);
    std::vector<std::string> burst;
    for (int i = 0; i < 60; ++i)
        burst.push_back(next_message(talk));
    notify_together(database, "chat", burst);
    (old.*take_away)();
    keep_talking(database, talk, [&] { return bridge.log().find("failover: ") != std::string::npos; });
    const redis_server& next = next_by_log(redis, bridge.log());
    CHECK(next.port() != old.port());
    keep_talking(database, talk, [&] { return bridge.is_ready(); });
    (old.*bring_back)();
    keep_talking(database, talk, 60);

    // Pushes are acknowledged, and not merely there.
    REQUIRE(bridge.answers("/stats", R"("pushed":)" + std::to_string(talk.total())));
    REQUIRE(bridge.answers("/stats", R"("waiting":0)"));
    support::eventually([&] {
        return talk.verdict(redis.primary().list("singles")).empty() &&
               talk.verdict(redis.primary().list("groups")).empty();
    });
    CHECK(talk.verdict(redis.primary().list("singles")) == "");
    CHECK(talk.verdict(redis.primary().list("groups")) == "");
    CHECK(count(bridge.log(), "failover: the primary is " + at(next) + " now, and was " + at(old)) == 1);
    CHECK(support::eventually([&] {
        const auto told = bridge.get("/redis/stats").body;
        return told.find(R"("mode":"sentinel","server":")" + at(redis.primary()) + '"') != std::string::npos;
    }));
}

TEST_CASE(
    "the primary is killed under load: its successor has every message once, in order, also when it comes "
    "back empty") {
    redis_sentinels redis;
    check_failover(redis, &redis_server::kill, &redis_server::start);
}

TEST_CASE(
    "the primary hangs under load: its successor has every message once, in order, also when it wakes up") {
    redis_sentinels redis;
    check_failover(redis, &redis_server::pause, &redis_server::resume);
}

TEST_CASE("without enough replicas a push is not counted, and the log says so once; with them it is") {
    redis_server primary;
    support::sql database(shared_postgres().url());
    running_postrider bridge(
        {.postgres_url = shared_postgres().url(), .redis_url = primary.url(), .file = replicated});
    INFO(bridge.end_of_log());
    REQUIRE(bridge.becomes_ready());
    chat talk;
    database.notify("chat", talk.next("a"));
    REQUIRE(bridge.logs("has to wait: NOREPLICAS 0 of 1 replicas have it after 500 ms (wait_replicas)"));
    REQUIRE(bridge.answers("/health/readiness", "NOREPLICAS 0 of 1"));
    CHECK(bridge.get("/stats").body.find(R"("pushed":1)") == std::string::npos);
    database.notify("chat", talk.next("a"));
    // Tried again and again, and yet there once.
    REQUIRE(support::eventually([&] {
        return primary.integer({"GET", "postrider:{singles}:written"}) == 1;
    }));
    CHECK(primary.list("singles").size() == 1);

    redis_server replica(
        {.persistent = false, .arguments = {"--replicaof", "127.0.0.1", std::to_string(primary.port())}});
    REQUIRE(bridge.answers("/stats", R"("waiting":0)"));
    CHECK(talk.verdict(wait_for_list(primary, "singles", 2)) == "");
    CHECK(talk.verdict(wait_for_list(replica, "singles", 2)) == "");
    CHECK(talk.verdict(wait_for_messages(replica, "groups", 2)) == "");
    CHECK(bridge.becomes_ready());
}

}  // namespace
}  // namespace postrider::test
