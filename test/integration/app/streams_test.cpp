// Dashboards of many people, none of whom reads what comes.
#include <doctest/doctest.h>

#include <csignal>

#include "running_postrider.hpp"
#include "servers.hpp"

namespace postrider::test {
namespace {

constexpr std::string_view ask = "GET /events HTTP/1.1\r\nHost: test\r\n\r\n";
constexpr std::size_t most_streams = 128;

TEST_CASE(
    "128 event streams are bounded, cost little, keep no probe out and hold up neither events nor a stop") {
    auto& redis = shared_redis();
    running_postrider bridge({.postgres_url = shared_postgres().url(),
                              .redis_url = redis.url(),
                              .environment = {{"GROUPING_DELAY", "100ms"}, {"PUSH_COOLDOWN", "0"}}});
    REQUIRE_MESSAGE(bridge.becomes_ready(), bridge.end_of_log());
    const auto before = bridge.resident_bytes();
    std::vector<raw_connection> open;
    for (std::size_t i = 0; i < most_streams; ++i) {
        open.emplace_back(bridge.port(), ask);
        REQUIRE(open.back().receive_some().starts_with("HTTP/1.1 200 OK\r\n"));
    }
    raw_connection refused(bridge.port(), ask);
    const auto answer = refused.receive_some();
    CHECK(answer.starts_with("HTTP/1.1 503 "));
    CHECK(answer.find("\r\nRetry-After: 10\r\n") != std::string::npos);
    CHECK(answer.ends_with(R"({"error":"too many streams are open; try again later"})"));
    CHECK(bridge.get("/health").status == 200);
    CHECK(bridge.get("/health/readiness").status == 200);
    CHECK(bridge.get("/").status == 200);
    support::sql(shared_postgres().url()).notify("bot_events", R"({"match_id":"m","bot_id":"b"})");
    CHECK(wait_for_list(redis, "bot_messages", 1).size() == 1);
    if (running_postrider::memory_is_its_own)
        CHECK(bridge.resident_bytes() < before + (std::size_t{8} << 20));
    bridge.signal(SIGTERM);
    CHECK(bridge.ends() == 0);
    CHECK(bridge.log().find("stopped after ") != std::string::npos);
}

}  // namespace
}  // namespace postrider::test
