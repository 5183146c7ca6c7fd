#include <doctest/doctest.h>

#include "chat.hpp"
#include "running_postrider.hpp"
#include "servers.hpp"
#include "support/eventually.hpp"

namespace postrider::test {
namespace {

// A long window and cooldown: what leaves within the test leaves by its limit.
std::string limited_by(const std::string& limit) {
    return R"(
[[route]]
name = "grouped"
channel = "chat"
policy = "group"
key = "/match_id"
window = "1h"
cooldown = "1h"
to = "groups"
fields = { match_id = "/match_id", bot_id = "/bot_id" }
)" + limit;
}

TEST_CASE("a group that has max_events leaves at once, and the next one opens") {
    auto& redis = shared_redis();
    support::sql database(shared_postgres().url());
    running_postrider bridge({.postgres_url = shared_postgres().url(),
                              .redis_url = redis.url(),
                              .file = limited_by("max_events = 3\n")});
    INFO(bridge.end_of_log());
    REQUIRE(bridge.becomes_ready());
    chat talk;
    std::vector<std::string> sent;
    for (int i = 0; i < 8; ++i)
        sent.push_back(talk.next("a"));
    notify_together(database, "chat", sent);
    CHECK(wait_for_list(redis, "groups", 2) ==
          std::vector<std::string>{expected_group("a", {sent[0], sent[1], sent[2]}),
                                   expected_group("a", {sent[3], sent[4], sent[5]})});
    CHECK(bridge.answers("/stats", R"("open":1)"));
    // The open one stands in Redis, although the pushes before it deleted what stood under its name.
    CHECK(support::eventually([&] {
        const auto text = redis.command({"GET", "context@grouped:a"});
        return ids_in(text) == std::vector<std::string>{"a-7", "a-8"};
    }));
}

TEST_CASE("a group does not grow past max_bytes") {
    auto& redis = shared_redis();
    support::sql database(shared_postgres().url());
    running_postrider bridge({.postgres_url = shared_postgres().url(),
                              .redis_url = redis.url(),
                              .file = limited_by("max_bytes = 200\n")});
    INFO(bridge.end_of_log());
    REQUIRE(bridge.becomes_ready());
    chat talk;
    std::vector<std::string> sent;
    for (int i = 0; i < 5; ++i)
        sent.push_back(talk.next("a"));
    REQUIRE(sent[0].size() * 3 > 200);
    REQUIRE(sent[4].size() * 2 < 200);
    notify_together(database, "chat", sent);
    CHECK(wait_for_list(redis, "groups", 2) ==
          std::vector<std::string>{expected_group("a", {sent[0], sent[1]}),
                                   expected_group("a", {sent[2], sent[3]})});
}

TEST_CASE("a sliding window ends max_wait after the first event, however many follow") {
    auto& redis = shared_redis();
    support::sql database(shared_postgres().url());
    running_postrider bridge({.postgres_url = shared_postgres().url(), .redis_url = redis.url(), .file = R"(
[[route]]
name = "grouped"
channel = "chat"
policy = "group"
key = "/match_id"
window = "4s"
window_kind = "sliding"
max_wait = "6s"
max_events = 10000
cooldown = "0s"
to = "groups"
)"});
    INFO(bridge.end_of_log());
    REQUIRE(bridge.becomes_ready());
    chat talk;
    database.notify("chat", talk.next("quiet"));
    const auto began = std::chrono::steady_clock::now();
    // Without max_wait the busy one would stay open until they end.
    const bool left = support::repeatedly([&] {
        database.notify("chat", talk.next("busy"));
        return talk.total() % 10 == 0 && redis.integer({"LLEN", "groups"}) >= 2;
    });
    CHECK(left);
    CHECK(std::chrono::steady_clock::now() - began >= 5900ms);
    const auto list = redis.list("groups");
    REQUIRE(list.size() >= 2);
    CHECK(ids_in({list[0]}) == std::vector<std::string>{"quiet-1"});
    CHECK(ids_in({list[1]}).size() > 10);
    CHECK(talk.verdict(wait_for_messages(redis, "groups", talk.total())) == "");
}

}  // namespace
}  // namespace postrider::test
