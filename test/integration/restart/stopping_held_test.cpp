// A stop while events are held back behind a catch-up that does not end.
#include <doctest/doctest.h>

#include <csignal>

#include "chat.hpp"
#include "running_postrider.hpp"
#include "servers.hpp"
#include "support/eventually.hpp"
#include "support/tcp_gate.hpp"

namespace postrider::test {
namespace {

constexpr const char* routes = R"(
[[route]]
name = "single"
channel = "chat"
policy = "immediate"
to = "singles"
[[route]]
name = "other"
channel = "other"
policy = "immediate"
id = "/id"
catch_up = "SELECT payload FROM slow WHERE $1::timestamptz IS NOT NULL"
to = "others"
)";

TEST_CASE("what is held back behind a catch-up leaves at a stop, also when the session is over by then") {
    auto& redis = shared_redis();
    support::tcp_gate gate(shared_postgres().port());
    support::sql database(shared_postgres().url());
    database.run("DROP TABLE IF EXISTS slow; CREATE TABLE slow (payload text)");
    running_postrider bridge(
        {.postgres_url = postgres_at(gate.port()), .redis_url = redis.url(), .file = routes});
    INFO(bridge.end_of_log());
    REQUIRE(bridge.becomes_ready());
    support::sql lock(shared_postgres().url());
    lock.run("BEGIN; LOCK TABLE slow");
    const auto log = bridge.log().size();
    gate.cut();
    REQUIRE(bridge.logs("postgres: reconnected", 90s, log));
    const auto waits =
        "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%FROM slow%'";
    REQUIRE(support::eventually([&] { return !database.rows(waits).empty(); }));
    chat talk;
    std::vector<std::string> burst;
    for (int i = 0; i < 50; ++i)
        burst.push_back(talk.next("a"));
    const auto from = gate.bytes(support::tcp_gate::direction::to_client);
    notify_together(database, "chat", burst);
    std::size_t bytes = 0;
    for (const auto& payload : burst)
        bytes += payload.size();
    REQUIRE(support::eventually(
        [&] { return gate.bytes(support::tcp_gate::direction::to_client) >= from + bytes; }));
    // An answer comes from a turn of the program's loop behind that.
    REQUIRE(bridge.get("/health").status == 200);
    REQUIRE(bridge.get("/health").status == 200);
    CHECK(redis.list("singles").empty());
    SUBCASE("while it goes on") {}
    SUBCASE("when it is over") {
        const auto before = bridge.log().size();
        gate.refuse();
        REQUIRE(bridge.logs("connection lost", 90s, before));
    }
    bridge.signal(SIGTERM);
    CHECK(bridge.ends() == 0);
    CHECK(talk.verdict(redis.list("singles")) == "");
    CHECK(talk.total() == redis.list("singles").size());
    lock.run("ROLLBACK");
}

}  // namespace
}  // namespace postrider::test
