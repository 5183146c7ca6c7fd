#include <doctest/doctest.h>

#include "running_postrider.hpp"
#include "servers.hpp"

namespace postrider::test {
namespace {

TEST_CASE("the cache's mode follows Redis, and what waits in memory is counted") {
    support::redis_server redis;
    support::sql database(shared_postgres().url());
    running_postrider bridge({.postgres_url = shared_postgres().url(), .redis_url = redis.url(), .file = R"(
[[route]]
name = "chat"
channel = "chat"
policy = "group"
key = "/k"
window = "10m"
to = "groups"
)"});
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

}  // namespace
}  // namespace postrider::test
