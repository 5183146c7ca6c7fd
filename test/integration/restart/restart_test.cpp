#include <doctest/doctest.h>

#include <csignal>

#include "chat.hpp"
#include "running_postrider.hpp"
#include "servers.hpp"
#include "support/eventually.hpp"

namespace postrider::test {
namespace {

postrider_settings with_window(const std::string& redis_url, const std::string& window) {
    return {.postgres_url = shared_postgres().url(),
            .redis_url = redis_url,
            .environment = {{"GROUPING_DELAY", window}, {"PUSH_COOLDOWN", "0"}}};
}

// Waits until Redis holds the open group with this message.
bool is_saved(support::redis_server& redis, const std::string& key, const std::string& id,
              const std::string& prefix = "context:") {
    return support::eventually([&] {
        const auto text = redis.command({"GET", prefix + key});
        return !text.empty() && text.front().find('"' + id + '"') != std::string::npos;
    });
}

TEST_CASE("killed with open groups: the next process adopts them, none lost, none twice") {
    auto& redis = shared_redis();
    support::sql database(shared_postgres().url());
    running_postrider bridge(with_window(redis.url(), "10s"));
    INFO(bridge.end_of_log());
    REQUIRE(bridge.becomes_ready());

    chat talk;
    const auto began = std::chrono::steady_clock::now();
    const std::vector<std::string> first{talk.next("a"), talk.next("a")};
    notify_together(database, "bot_events", first);
    REQUIRE(is_saved(redis, "a", "a-2"));
    // What is added to a saved group is added to its context.
    const std::string third = talk.next("a");
    notify_together(database, "bot_events", {third, talk.next("b")});
    REQUIRE(is_saved(redis, "a", "a-3"));
    REQUIRE(is_saved(redis, "b", "b-1"));
    CHECK(redis.integer({"PTTL", "context:a"}) > 20'000);

    bridge.kill_and_start();
    REQUIRE(bridge.becomes_ready());
    CHECK(redis.list("bot_messages").empty());
    const std::string fourth = talk.next("a");
    database.notify("bot_events", fourth);
    const auto list = wait_for_list(redis, "bot_messages", 2);
    CHECK(std::chrono::steady_clock::now() - began >= 10s);
    CHECK(talk.verdict(list) == "");
    REQUIRE(list.size() == 2);
    CHECK(list.front() == expected_group("a", {first[0], first[1], third, fourth}));
    CHECK(redis.command({"KEYS", "context*"}).empty());
}

TEST_CASE("a group whose window ended while nothing ran leaves right after the start") {
    auto& redis = shared_redis();
    support::sql database(shared_postgres().url());
    running_postrider bridge(with_window(redis.url(), "3s"));
    INFO(bridge.end_of_log());
    REQUIRE(bridge.becomes_ready());
    chat talk;
    const std::string message = talk.next("a");
    database.notify("bot_events", message);
    REQUIRE(is_saved(redis, "a", "a-1"));
    const auto over = std::chrono::steady_clock::now() + 3s;
    bridge.kill();
    CHECK(redis.list("bot_messages").empty());
    REQUIRE(support::eventually([&] { return std::chrono::steady_clock::now() >= over; }));
    bridge.start();
    CHECK(wait_for_list(redis, "bot_messages", 1) ==
          std::vector<std::string>{expected_group("a", {message})});
}

TEST_CASE("the open group of a route under its former name stays in Redis, and the log names it") {
    auto& redis = shared_redis();
    support::sql database(shared_postgres().url());
    const auto named = [&](const std::string& name) {
        postrider_settings s;
        s.postgres_url = shared_postgres().url();
        s.redis_url = redis.url();
        s.file = "[[route]]\nname = \"" + name +
                 "\"\nchannel = \"renamed\"\npolicy = \"group\"\nkey = \"/match_id\"\nwindow = \"10m\"\n"
                 "max_events = 2\nto = \"renamed_messages\"\n";
        return s;
    };
    chat talk;
    {
        running_postrider before(named("old_name"));
        INFO(before.end_of_log());
        REQUIRE(before.becomes_ready());
        database.notify("renamed", talk.next("a"));
        REQUIRE(is_saved(redis, "a", "a-1", "context@old_name:"));
        before.kill();
    }
    running_postrider after(named("new_name"));
    INFO(after.end_of_log());
    REQUIRE(after.becomes_ready());
    CHECK(after.logs("belongs to the route 'old_name', which is not configured; left alone"));
    database.notify("renamed", talk.next("a"));
    REQUIRE(is_saved(redis, "a", "a-2", "context@new_name:"));
    CHECK(is_saved(redis, "a", "a-1", "context@old_name:"));
    CHECK(redis.list("renamed_messages").empty());
}

TEST_CASE("a context of the Python bridge is adopted") {
    auto& redis = shared_redis();
    chat talk;
    const std::string message = talk.next("a");
    redis.command({"SET", "context:a",
                   R"({"last_message_at": "2026-01-05T10:00:00.123456", "rapid_count": 1, "messages": [)" +
                       message + R"(], "timer_started": true})"});
    redis.command({"SET", "context:odd", "not JSON at all"});
    running_postrider bridge(with_window(redis.url(), "1s"));
    INFO(bridge.end_of_log());
    CHECK(wait_for_list(redis, "bot_messages", 1) ==
          std::vector<std::string>{expected_group("a", {message})});
    CHECK(bridge.logs("context:odd is no open group, left alone"));
    CHECK(redis.command({"GET", "context:odd"}).front() == "not JSON at all");
}

TEST_CASE("SIGTERM with open groups: status 0 within 8 s, and the next process goes on with them") {
    auto& redis = shared_redis();
    support::sql database(shared_postgres().url());
    running_postrider bridge(with_window(redis.url(), "8s"));
    INFO(bridge.end_of_log());
    REQUIRE(bridge.becomes_ready());

    chat talk;
    const std::vector<std::string> messages{talk.next("a"), talk.next("a"), talk.next("a")};
    notify_together(database, "bot_events", {messages[0], messages[1]});
    REQUIRE(bridge.answers("/stats", R"("events":2)"));
    bridge.signal(SIGTERM);
    CHECK(bridge.ends(8s) == 0);
    CHECK(bridge.log().find("SIGTERM: stopping") != std::string::npos);
    CHECK(redis.list("bot_messages").empty());
    REQUIRE(redis.integer({"EXISTS", "context:a"}) == 1);

    bridge.start();
    REQUIRE(bridge.becomes_ready());
    database.notify("bot_events", messages[2]);
    CHECK(wait_for_list(redis, "bot_messages", 1) == std::vector<std::string>{expected_group("a", messages)});
}

TEST_CASE("SIGINT with nothing to do ends at once with status 0") {
    running_postrider bridge(with_window(shared_redis().url(), "15s"));
    REQUIRE(bridge.becomes_ready());
    bridge.signal(SIGINT);
    CHECK(bridge.ends(8s) == 0);
}

}  // namespace
}  // namespace postrider::test
