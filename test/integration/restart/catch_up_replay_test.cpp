#include <doctest/doctest.h>

#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "message_table.hpp"
#include "running_postrider.hpp"
#include "servers.hpp"
#include "support/eventually.hpp"
#include "support/tcp_gate.hpp"

namespace postrider::test {
namespace {

constexpr const char* reminders = R"(
[[route]]
name = "reminder"
channel = "reminders"
policy = "delay"
key = "/match_id"
min_delay = "1h"
max_delay = "1h"
cancel_on = "chat"
to = "reminders"
)";

TEST_CASE("a message that is only caught up once more cancels nothing that was scheduled after it") {
    support::tcp_gate gate(shared_postgres().port());
    auto& redis = shared_redis();
    message_table table(shared_postgres().url());
    support::sql database(shared_postgres().url());
    running_postrider bridge({.postgres_url = postgres_at(gate.port()),
                              .redis_url = redis.url(),
                              .file = message_table::routes() + reminders,
                              .environment = {{"LOG_LEVEL", "debug"}}});
    INFO(bridge.end_of_log());
    REQUIRE(bridge.becomes_ready());
    REQUIRE(table.write("a"));
    REQUIRE(wait_for_list(redis, "singles", 1).size() == 1);
    database.notify("reminders", R"({"match_id":"a"})");
    REQUIRE(bridge.logs("reminder: a leaves at "));

    const auto before = bridge.database_reconnects();
    gate.cut();
    REQUIRE(bridge.reconnects_after(before));
    // What comes live waits for the end of the catch-up.
    REQUIRE(table.write("b"));
    CHECK(table.talk().verdict(wait_for_list(redis, "singles", 2)) == "");
    CHECK(bridge.log().find("cancelled") == std::string::npos);
    // The first message was a duplicate; the second too, where the catch-up had brought it before it came
    // live.
    for (const std::string route : {"single", "grouped"})
        CHECK(support::eventually([&] {
            const auto page = bridge.get("/metrics").body;
            const auto counted = "\npostrider_duplicates_total{route=\"" + route + "\"} ";
            return page.find(counted) != std::string::npos && page.find(counted + "0\n") == std::string::npos;
        }));
    // A new message of its own does cancel it.
    REQUIRE(table.write("a"));
    CHECK(bridge.logs("reminder: a cancelled by an event on 'chat'"));
}

TEST_CASE("an event dated into the far future does not keep the catch-up from what comes after it") {
    auto& redis = shared_redis();
    message_table table(shared_postgres().url());
    support::sql database(shared_postgres().url());
    std::string routes = message_table::routes();
    const std::string with_time = "time = \"/at\"\n";
    for (auto at = routes.find("\nid = "); at != std::string::npos;
         at = routes.find("\nid = ", at + with_time.size() + 1))
        routes.insert(at + 1, with_time);
    running_postrider bridge(
        {.postgres_url = shared_postgres().url(), .redis_url = redis.url(), .file = routes});
    INFO(bridge.end_of_log());
    REQUIRE(bridge.becomes_ready());
    database.notify("chat", R"({"id":"x-1", "match_id":"x","at":"2200-01-01T00:00:00Z"})");
    REQUIRE(wait_for_list(redis, "singles", 1).size() == 1);
    for (int start = 0; start < 2; ++start) {
        bridge.kill();
        REQUIRE(table.write("a"));
        bridge.start();
        REQUIRE(bridge.becomes_ready());
    }
    CHECK(ids_in(wait_for_list(redis, "singles", 3)) == std::vector<std::string>{"x-1", "a-1", "a-2"});
}

TEST_CASE("live events that overtake a failing catch-up do not hide what is missing") {
    support::tcp_gate gate(shared_postgres().port());
    auto& redis = shared_redis();
    message_table table(shared_postgres().url());
    support::sql database(shared_postgres().url());
    std::string routes = message_table::routes();
    const std::string narrow = "overlap = \"100ms\"\n";
    for (auto at = routes.find("\nid = "); at != std::string::npos;
         at = routes.find("\nid = ", at + narrow.size() + 1))
        routes.insert(at + 1, narrow);
    running_postrider bridge(
        {.postgres_url = postgres_at(gate.port()), .redis_url = redis.url(), .file = routes});
    INFO(bridge.end_of_log());
    REQUIRE(bridge.becomes_ready());
    REQUIRE(table.write("a"));
    REQUIRE(wait_for_list(redis, "singles", 1).size() == 1);

    gate.refuse();
    REQUIRE(table.write("b"));
    database.run("ALTER TABLE messages RENAME COLUMN created_at TO written_at");
    gate.pass();
    REQUIRE(bridge.logs("the catch-up query failed"));
    // Each second how far the route is would be written; three live events are enough for that.
    for (std::size_t live = 2; live <= 4; ++live) {
        REQUIRE(table.write("c"));
        REQUIRE(wait_for_list(redis, "singles", live).size() == live);
        std::this_thread::sleep_for(std::chrono::milliseconds(1'200));
    }
    const auto mend = [&] { database.run("ALTER TABLE messages RENAME COLUMN written_at TO created_at"); };
    SUBCASE("from the next attempt") {
        mend();
    }
    SUBCASE("from the next start") {
        bridge.kill();
        mend();
        bridge.start();
    }
    CHECK(table.talk().verdict(wait_for_list(redis, "singles", 5)) == "");
}

}  // namespace
}  // namespace postrider::test
