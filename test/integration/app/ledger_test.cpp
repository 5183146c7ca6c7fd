#include <doctest/doctest.h>

#include <algorithm>

#include "running_postrider.hpp"
#include "servers.hpp"
#include "support/eventually.hpp"

namespace postrider::test {
namespace {

std::size_t entries_of_ledger(const std::string& body, const std::string& target) {
    const std::string name = "\"entries\":";
    const auto from = body.find("\"" + target + "\":{\"keys\":", body.find("\"ledger\":"));
    REQUIRE(from != std::string::npos);
    return std::stoul(body.substr(body.find(name, from) + name.size()));
}

TEST_CASE("the ledger of 50,000 events and as many groups is small again seconds later") {
    auto& redis = shared_redis();
    support::sql database(shared_postgres().url());
    running_postrider bridge({.postgres_url = shared_postgres().url(), .redis_url = redis.url(), .file = R"(
[log]
level = "warning"
[[route]]
name = "single"
channel = "chat"
policy = "immediate"
to = "singles"
[[route]]
name = "grouped"
channel = "chat"
policy = "group"
key = "/match_id"
window = "50ms"
cooldown = "0s"
to = "groups"
)"});
    INFO(bridge.end_of_log());
    REQUIRE(bridge.becomes_ready());
    CHECK(bridge.answers("/redis/stats", R"("ledger":{"singles":{"keys":)"));
    constexpr int rounds = 25;
    std::size_t most = 0;
    for (int round = 1; round <= rounds; ++round) {
        // Every key is new, so that each event makes a group of its own.
        database.run("SELECT count(pg_notify('chat', json_build_object('id', i, 'match_id', '" +
                     std::to_string(round) + "-' || i)::text)) FROM generate_series(1, 2000) i");
        REQUIRE(support::eventually([&] { return redis.integer({"LLEN", "groups"}) == round * 2'000; }));
        const auto body = bridge.get("/redis/stats").body;
        CHECK(entries_of_ledger(body, "singles") >= 1);
        CHECK(entries_of_ledger(body, "groups") >= 1);
        most = std::max({most, entries_of_ledger(body, "singles"), entries_of_ledger(body, "groups")});
    }
    CHECK(redis.integer({"LLEN", "singles"}) == rounds * 2'000);
    // What a group route has delivered is told one by one until two looks at its progress, a second apart.
    const bool trimmed = support::eventually(
        [&] {
            const auto body = bridge.get("/redis/stats").body;
            return entries_of_ledger(body, "groups") <= 1 && entries_of_ledger(body, "singles") <= 1;
        },
        30s);
    CHECK(trimmed);
    CHECK(redis.integer({"DBSIZE"}) < 20);
    MESSAGE("at most ", most, " entries");
    // However fast they come: twice what is delivered between two looks, and what is on its way.
    CHECK(most < 12'500);
}

}  // namespace
}  // namespace postrider::test
