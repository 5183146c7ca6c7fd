#include <doctest/doctest.h>

#include "chat.hpp"
#include "running_postrider.hpp"
#include "servers.hpp"
#include "support/eventually.hpp"

namespace postrider::test {
namespace {

constexpr const char* small_payloads = R"(
[[route]]
name = "grouped"
channel = "chat"
policy = "group"
key = "/match_id"
id = "/id"
time = "/at"
window = "200ms"
to = "groups"
max_payload_bytes = 300
)";

TEST_CASE("bad payloads are counted by reason and told, and the others go on") {
    auto& redis = shared_redis();
    support::sql database(shared_postgres().url());
    running_postrider bridge(
        {.postgres_url = shared_postgres().url(), .redis_url = redis.url(), .file = small_payloads});
    INFO(bridge.end_of_log());
    REQUIRE(bridge.becomes_ready());

    chat talk;
    const std::string good = talk.next("a");
    const std::vector<std::string> bad{
        "",
        "hello, world",
        R"({"id":1,"match_id":"a")",
        R"({"id":2})",
        R"({"id":3,"match_id":{"a":1}})",
        R"({"id":4,"match_id":null})",
        R"({"match_id":"a"})",
        R"({"id":5,"match_id":"a","at":"yesterday"})",
        R"({"id":6,"match_id":"a","filler":")" + std::string(400, 'f') + R"("})",
    };
    std::vector<std::string> all{good};
    for (const std::string& each : bad) {
        all.push_back(each);
        all.push_back(talk.next("a"));
    }
    notify_together(database, "chat", all);
    CHECK(talk.verdict(wait_for_list(redis, "groups", 1)) == "");
    const std::string stats = bridge.get("/stats").body;
    CAPTURE(stats);
    CHECK(stats.find(
              R"("rejected":{"too_large":1,"not_json":3,"no_key":1,"key_type":2,"no_id":1,"bad_time":1})") !=
          std::string::npos);
    CHECK(stats.find(R"("messages":10)") != std::string::npos);
    CHECK(bridge.log().find("hello, world") != std::string::npos);
    // The first 200 characters tell enough.
    CHECK(bridge.log().find(std::string(190, 'f')) == std::string::npos);
    CHECK(bridge.log().find(std::string(150, 'f')) != std::string::npos);
}

TEST_CASE("a target of another type refuses what comes for it alone, and is told") {
    auto& redis = shared_redis();
    redis.command({"SET", "groups", "no list"});
    support::sql database(shared_postgres().url());
    running_postrider bridge({.postgres_url = shared_postgres().url(), .redis_url = redis.url(), .file = R"(
[[route]]
name = "wrong"
channel = "chat"
policy = "immediate"
to = "groups"
[[route]]
name = "right"
channel = "chat"
policy = "immediate"
to = "singles"
)"});
    INFO(bridge.end_of_log());
    REQUIRE(bridge.becomes_ready());
    chat talk;
    for (int i = 0; i < 20; ++i)
        database.notify("chat", talk.next("a"));
    CHECK(talk.verdict(wait_for_list(redis, "singles", 20)) == "");
    CHECK(bridge.answers("/stats", R"("failed":20)"));
    CHECK(bridge.logs("WRONGTYPE"));
    CHECK(redis.command({"GET", "groups"}).front() == "no list");
    CHECK(bridge.get("/health/readiness").status == 200);
}

}  // namespace
}  // namespace postrider::test
