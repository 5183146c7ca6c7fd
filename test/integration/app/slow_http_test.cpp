#include <doctest/doctest.h>

#include <vector>

#include "chat.hpp"
#include "running_postrider.hpp"
#include "servers.hpp"

namespace postrider::test {
namespace {

constexpr const char* immediate = R"(
[[route]]
name = "single"
channel = "chat"
policy = "immediate"
to = "singles"
)";

TEST_CASE("a hundred stalled and oversized HTTP clients do not delay the pipeline") {
    auto& redis = shared_redis();
    support::sql database(shared_postgres().url());
    running_postrider bridge(
        {.postgres_url = shared_postgres().url(), .redis_url = redis.url(), .file = immediate});
    INFO(bridge.end_of_log());
    REQUIRE(bridge.becomes_ready());

    std::vector<raw_connection> connections;
    for (int i = 0; i < 100; ++i)
        connections.emplace_back(bridge.port(), i % 2 == 0 ? "GET /health HTTP/1.1\r\nHost: te" : "G");
    const std::string endless(1 << 20, 'x');
    chat talk;
    for (int i = 0; i < 200; ++i) {
        // Most of it is turned away; whether it is taken does not matter here.
        if (i % 20 == 0) connections[static_cast<std::size_t>(i / 2)].send(endless);
        database.notify("chat", talk.next("k" + std::to_string(i % 5)));
    }
    CHECK(talk.verdict(wait_for_list(redis, "singles", 200)) == "");
    CHECK(bridge.get("/health").status == 200);
}

}  // namespace
}  // namespace postrider::test
