#include <doctest/doctest.h>

#include "running_postrider.hpp"
#include "servers.hpp"
#include "support/eventually.hpp"

namespace postrider::test {
namespace {

const std::string long_groups = R"(
[[route]]
name = "chat"
channel = "chat"
policy = "group"
key = "/k"
window = "10m"
to = "groups"
)";

TEST_CASE("the cache's mode follows Redis, and what waits in memory is counted") {
    support::redis_server redis;
    support::sql database(shared_postgres().url());
    running_postrider bridge(
        {.postgres_url = shared_postgres().url(), .redis_url = redis.url(), .file = long_groups});
    INFO(bridge.end_of_log());
    REQUIRE(bridge.becomes_ready());
    CHECK(bridge.answers("/cache/stats", R"({"mode":"redis","entries":)"));
    CHECK(bridge.answers("/cache/stats", R"("redisAvailable":true,"hits":0,"misses":0,"evictions":0,)"));
    redis.stop();
    CHECK(bridge.answers("/cache/stats", R"({"mode":"memory","entries":0,"redisAvailable":false,)"));
    database.notify("chat", R"({"k":"a"})");
    database.notify("chat", R"({"k":"b"})");
    CHECK(bridge.answers("/cache/stats", R"({"mode":"memory","entries":2,"redisAvailable":false,)"));
    redis.start();
    CHECK(bridge.answers("/cache/stats", R"({"mode":"redis",)"));
    CHECK(bridge.logs("cache: back in Redis after"));
    // The groups are there too, as soon as the next flush.
    CHECK(bridge.answers("/cache/stats", R"("redisAvailable":true)"));
}

TEST_CASE("open groups that an earlier run has left are found by way of the cache") {
    support::redis_server redis;
    support::sql database(shared_postgres().url());
    const postrider_settings settings{
        .postgres_url = shared_postgres().url(), .redis_url = redis.url(), .file = long_groups};
    {
        running_postrider bridge(settings);
        INFO(bridge.end_of_log());
        REQUIRE(bridge.becomes_ready());
        for (const auto* key : {"a", "b", "c"})
            database.notify("chat", std::string(R"({"k":")") + key + R"("})");
        REQUIRE(support::eventually([&] {
            return redis.integer({"EXISTS", "context@chat:a", "context@chat:b", "context@chat:c"}) == 3;
        }));
        bridge.kill();
    }
    running_postrider bridge(settings);
    INFO(bridge.end_of_log());
    REQUIRE(bridge.becomes_ready());
    CHECK(bridge.answers("/cache/stats", R"("redisAvailable":true,"hits":3,"misses":0,"evictions":0,)"));
}

TEST_CASE("the memory is in use while Redis refuses the open groups, and until it has them") {
    support::redis_server redis;
    support::sql database(shared_postgres().url());
    running_postrider bridge(
        {.postgres_url = shared_postgres().url(), .redis_url = redis.url(), .file = long_groups});
    INFO(bridge.end_of_log());
    REQUIRE(bridge.becomes_ready());
    redis.command({"CONFIG", "SET", "maxmemory", "1"});
    database.notify("chat", R"({"k":"a"})");
    CHECK(bridge.answers("/cache/stats", R"({"mode":"memory","entries":1,"redisAvailable":true,)"));
    CHECK(bridge.logs("cache: in memory while Redis is away: OOM"));
    redis.command({"CONFIG", "SET", "maxmemory", "0"});
    CHECK(bridge.answers("/cache/stats", R"({"mode":"redis",)"));
    CHECK(redis.integer({"EXISTS", "context@chat:a"}) == 1);
}

}  // namespace
}  // namespace postrider::test
