// Many slow clients and many dashboards at once, and what the service is there for goes on.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "chat.hpp"
#include "running_postrider.hpp"
#include "servers.hpp"
#include "support/eventually.hpp"
#include "talking.hpp"

namespace postrider::test {
namespace {

constexpr std::size_t slow_clients = 500;
constexpr std::size_t streams = 100;
constexpr std::size_t servers_own = 4;  // connections to Postgres and Redis that may come or go meanwhile

// One that never ends its headers, or one that never ends its body.
std::string unfinished(std::size_t number) {
    if (number % 2 == 0) return "GET /health HTTP/1.1\r\nHost: test\r\nX-Slow: ";
    return "POST /health HTTP/1.1\r\nHost: test\r\nContent-Length: 4096\r\n\r\nslow";
}

std::vector<raw_connection> open_slow_clients(std::uint16_t port) {
    std::vector<raw_connection> open;
    for (std::size_t i = 0; i < slow_clients; ++i)
        open.emplace_back(port, unfinished(i));
    return open;
}

std::vector<raw_connection> open_streams(std::uint16_t port) {
    std::vector<raw_connection> open;
    for (std::size_t i = 0; i < streams; ++i)
        open.emplace_back(port, "GET /events HTTP/1.1\r\nHost: test\r\n\r\n");
    return open;
}

TEST_CASE("500 slow clients and 100 event streams keep out no probe and no event, and are gone afterwards") {
    auto& redis = shared_redis();
    support::sql database(shared_postgres().url());
    running_postrider bridge({.postgres_url = shared_postgres().url(),
                              .redis_url = redis.url(),
                              .file = both_ways("100ms", "0s")});
    REQUIRE_MESSAGE(bridge.becomes_ready(), bridge.end_of_log());
    const auto resident = bridge.resident_bytes();
    const auto descriptors = bridge.open_descriptors();

    auto looking = open_streams(bridge.port());
    for (auto& each : looking)
        REQUIRE(each.receive_some().starts_with("HTTP/1.1 200 OK\r\n"));
    const auto slow = open_slow_clients(bridge.port());
    REQUIRE(support::eventually(
        [&] { return bridge.open_descriptors() + servers_own >= descriptors + slow_clients + streams; }));

    chat talk;
    keep_talking(database, talk, 100);
    CHECK(bridge.get("/health").status == 200);
    CHECK(bridge.get("/health/liveness").status == 200);
    CHECK(bridge.get("/health/readiness").status == 200);
    CHECK(talk.verdict(wait_for_list(redis, "singles", talk.total())) == "");
    CHECK(talk.verdict(wait_for_messages(redis, "groups", talk.total())) == "");
    if (running_postrider::memory_is_its_own)
        CHECK(bridge.resident_bytes() < resident + (std::size_t{12} << 20));

    // The slow ones hold on to the last; it is Postrider that lets them go.
    looking.clear();
    CHECK(support::eventually([&] { return bridge.open_descriptors() <= descriptors + servers_own; }, 60s));
    CHECK(bridge.is_ready());
}

}  // namespace
}  // namespace postrider::test
