#include <doctest/doctest.h>

#include "chat.hpp"
#include "running_postrider.hpp"
#include "servers.hpp"
#include "support/eventually.hpp"

namespace postrider::test {
namespace {

// Far longer than the test: a group ends by its fourth message, or not at all.
constexpr const char* full_at_four = R"(
[[route]]
name = "bot_events"
channel = "bot_events"
policy = "group"
key = "/match_id"
window = "10m"
cooldown = "0s"
max_events = 4
to = "bot_messages"
)";

bool is_saved(support::redis_server& redis, const std::string& key, const std::string& id) {
    return support::eventually([&] {
        const auto text = redis.command({"GET", "context:" + key});
        return !text.empty() && text.front().find('"' + id + '"') != std::string::npos;
    });
}

TEST_CASE("open groups outlive an outage: what changed meanwhile is saved, what ended meanwhile is gone") {
    support::redis_server redis;
    support::sql database(shared_postgres().url());
    running_postrider bridge({.postgres_url = shared_postgres().url(),
                              .redis_url = redis.url(),
                              .file = full_at_four,
                              .reconnects_quickly = true});
    INFO(bridge.end_of_log());
    REQUIRE(bridge.becomes_ready());

    chat talk;
    const auto say = [&](const std::string& key) { database.notify("bot_events", talk.next(key)); };
    for (const auto* key : {"grown", "ended", "untouched"})
        say(key);
    REQUIRE(is_saved(redis, "grown", "grown-1"));
    REQUIRE(is_saved(redis, "ended", "ended-1"));
    REQUIRE(is_saved(redis, "untouched", "untouched-1"));

    redis.stop();
    REQUIRE(bridge.answers("/cache/stats", R"("mode":"memory")"));
    say("grown");
    say("new");
    for (int i = 0; i < 3; ++i)
        say("ended");
    REQUIRE(bridge.answers("/stats", R"("events":8)"));
    redis.start();

    REQUIRE(is_saved(redis, "grown", "grown-2"));
    REQUIRE(is_saved(redis, "new", "new-1"));
    CHECK(redis.command({"GET", "context:untouched"}).front().find("\"untouched-1\"") != std::string::npos);
    CHECK(redis.integer({"PTTL", "context:new"}) > 0);
    REQUIRE(ids_in(wait_for_list(redis, "bot_messages", 1)) ==
            std::vector<std::string>{"ended-1", "ended-2", "ended-3", "ended-4"});
    CHECK(redis.integer({"EXISTS", "context:ended"}) == 0);

    // And the next process goes on with them.
    bridge.kill_and_start();
    REQUIRE(bridge.becomes_ready());
    for (int i = 0; i < 2; ++i)
        say("grown");
    for (const auto* key : {"new", "untouched"})
        for (int i = 0; i < 3; ++i)
            say(key);
    const auto list = wait_for_list(redis, "bot_messages", 4);
    CHECK(list.size() == 4);
    CHECK(talk.verdict(list) == "");
}

}  // namespace
}  // namespace postrider::test
