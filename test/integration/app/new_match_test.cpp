#include <doctest/doctest.h>

#include <algorithm>

#include "chat.hpp"
#include "running_postrider.hpp"
#include "servers.hpp"
#include "support/eventually.hpp"
#include "support/tcp_gate.hpp"

namespace postrider::test {
namespace {

std::string match(const std::string& id, const std::string& first, const std::string& second) {
    return R"({"id":")" + id + R"(","user1_id":")" + first + R"(","user2_id":")" + second + R"("})";
}

postrider_settings with_delay(const std::string& redis_url, const std::string& delay) {
    return {.postgres_url = shared_postgres().url(),
            .redis_url = redis_url,
            .environment = {{"BOT_IDS", "bot-1,bot-2"},
                            {"INITIATION_PROBABILITY", "1"},
                            {"MIN_DELAY_MINUTES", delay},
                            {"MAX_DELAY_MINUTES", delay},
                            {"GROUPING_DELAY", "100ms"}}};
}

bool begins(const std::string& text, const std::string& with) {
    CAPTURE(text);
    return text.starts_with(with);
}

TEST_CASE("what cancels may come on a channel that no route has") {
    auto& redis = shared_redis();
    support::sql database(shared_postgres().url());
    const std::string routes = R"(
[[route]]
name = "reminder"
channel = "reminders"
policy = "delay"
key = "/id"
min_delay = "500ms"
max_delay = "500ms"
cancel_on = "answers"
cancel_key = "/to"
to = "sent"
[[route]]
name = "plain"
channel = "plain"
policy = "immediate"
to = "sent"
)";
    running_postrider bridge({.postgres_url = shared_postgres().url(),
                              .redis_url = redis.url(),
                              .file = routes,
                              .environment = {{"LOG_LEVEL", "debug"}}});
    INFO(bridge.end_of_log());
    REQUIRE(bridge.becomes_ready());
    // Together, so that what cancels cannot come too late.
    database.run("BEGIN");
    database.notify("reminders", R"({"id":"a"})");
    database.notify("reminders", R"({"id":"b"})");
    database.notify("answers", R"({"to":"a"})");
    database.run("COMMIT");
    const auto list = wait_for_list(redis, "sent", 1);
    REQUIRE(list.size() == 1);
    CHECK(list[0].find(R"("id":"b")") != std::string::npos);
    CHECK(bridge.logs("reminder: a cancelled by an event on 'answers'"));
    CHECK(bridge.answers("/stats", R"("cancelled":1)"));
    database.notify("plain", R"({"x":1})");
    CHECK(wait_for_list(redis, "sent", 2).back() == R"({"x":1})");
}

TEST_CASE("a new match brings an opening line, from the bot of the two to the user") {
    auto& redis = shared_redis();
    support::sql database(shared_postgres().url());
    running_postrider bridge(with_delay(redis.url(), "500ms"));
    INFO(bridge.end_of_log());
    REQUIRE(bridge.becomes_ready());

    const std::string one = match("m1", "anna", "bot-2");
    const auto began = std::chrono::steady_clock::now();
    database.notify("new_match", one);
    const auto list = wait_for_list(redis, "bot_messages", 1);
    CHECK(std::chrono::steady_clock::now() - began >= 500ms);
    REQUIRE(list.size() == 1);
    CHECK(begins(
        list[0],
        R"({"type":"initiation","match_id":"m1","bot_id":"bot-2","user_id":"anna","scheduled_for":"2)"));
    CHECK(list[0].ends_with(R"(","match":)" + one + "}"));

    database.notify("new_match", match("m2", "bot-1", "bert"));
    // Without a bot nobody would speak.
    database.notify("new_match", match("m3", "carl", "dora"));
    const auto more = wait_for_list(redis, "bot_messages", 2);
    REQUIRE(more.size() == 2);
    CHECK(begins(more[1], R"({"type":"initiation","match_id":"m2","bot_id":"bot-1","user_id":"bert",)"));
    CHECK(bridge.answers("/stats", R"("skipped":1)"));
    CHECK(redis.command({"KEYS", "postrider:delay:*"}).empty());
}

TEST_CASE("a message cancels its match's opening line, and no other") {
    auto& redis = shared_redis();
    support::sql database(shared_postgres().url());
    running_postrider bridge(with_delay(redis.url(), "3s"));
    INFO(bridge.end_of_log());
    REQUIRE(bridge.becomes_ready());

    chat talk;
    database.run("BEGIN");
    database.notify("new_match", match("m1", "anna", "bot-2"));
    database.notify("new_match", match("m2", "bert", "bot-2"));
    database.notify("bot_events", talk.next("m1"));
    database.run("COMMIT");
    const auto list = wait_for_list(redis, "bot_messages", 2);
    REQUIRE(list.size() == 2);
    CHECK(begins(list[0], R"({"type":"grouped",)"));
    CHECK(begins(list[1], R"({"type":"initiation","match_id":"m2",)"));
    CHECK(bridge.answers("/stats", R"("cancelled":1)"));
    CHECK(redis.command({"KEYS", "postrider:delay:*"}).empty());
}

// A line that leaves within the test, lines that are cancelled however slow the machine is, and what cancels.
constexpr const char* lines_and_messages = R"(
[[route]]
name = "bot_events"
channel = "bot_events"
policy = "group"
key = "/match_id"
window = "100ms"
to = "bot_messages"
[[route]]
name = "soon"
channel = "soon"
policy = "delay"
key = "/id"
min_delay = "4s"
max_delay = "4s"
cancel_on = "bot_events"
cancel_key = "/match_id"
to = "bot_messages"
[[route]]
name = "later"
channel = "later"
policy = "delay"
key = "/id"
min_delay = "10m"
max_delay = "10m"
cancel_on = "bot_events"
cancel_key = "/match_id"
to = "bot_messages"
)";

TEST_CASE("a pending opening line outlives a kill, leaves at its time, and can still be cancelled") {
    auto& redis = shared_redis();
    support::sql database(shared_postgres().url());
    running_postrider bridge(
        {.postgres_url = shared_postgres().url(), .redis_url = redis.url(), .file = lines_and_messages});
    INFO(bridge.end_of_log());
    REQUIRE(bridge.becomes_ready());

    const auto began = std::chrono::steady_clock::now();
    const std::string line = match("m2", "bert", "bot-2");
    database.notify("later", match("m1", "anna", "bot-2"));
    database.notify("soon", line);
    database.notify("later", match("m3", "carl", "bot-2"));
    const auto saved = [&](const std::string& route) {
        return redis.command({"KEYS", "postrider:delay:*" + route + ":*"}).size();
    };
    REQUIRE(support::eventually([&] { return saved("later") == 2; }));
    chat talk;
    database.notify("bot_events", talk.next("m3"));
    REQUIRE(support::eventually([&] { return saved("later") == 1; }));
    bridge.kill_and_start();
    REQUIRE(bridge.becomes_ready());
    database.notify("bot_events", talk.next("m1"));
    CHECK(bridge.answers("/stats", R"("cancelled":1)"));

    // A group of each message, and the one line.
    const auto list = wait_for_list(redis, "bot_messages", 3);
    CHECK(std::chrono::steady_clock::now() - began >= 4s);
    auto messages = list;
    CHECK(std::erase_if(messages, [&](const auto& each) { return each.find(line) != std::string::npos; }) ==
          1);
    CHECK(talk.verdict(messages) == "");
    CHECK(support::eventually([&] { return saved("") == 0; }));
}

TEST_CASE(
    "a cancellation that Redis does not answer is written again, so that no later process revives the line") {
    auto& redis = shared_redis();
    support::tcp_gate gate(redis.port());
    support::sql database(shared_postgres().url());
    postrider_settings settings = with_delay(redis_at(gate.port()), "10m");
    settings.environment.emplace_back("REDIS_SOCKET_TIMEOUT", "1s");
    running_postrider bridge(std::move(settings));
    INFO(bridge.end_of_log());
    REQUIRE(bridge.becomes_ready());

    database.notify("new_match", match("m1", "anna", "bot-2"));
    database.notify("new_match", match("m2", "bert", "bot-2"));
    const auto saved = [&] { return redis.command({"KEYS", "postrider:delay:*"}).size(); };
    REQUIRE(support::eventually([&] { return saved() == 2; }));
    gate.stall();
    chat talk;
    database.notify("bot_events", talk.next("m1"));
    REQUIRE(bridge.logs("connection lost: no reply within 1 s"));
    CHECK(saved() == 2);
    // What was stalled is lost, as with a server that was gone.
    gate.refuse();
    gate.pass();
    CHECK(support::eventually([&] { return saved() == 1; }));
    CHECK(talk.verdict(wait_for_list(redis, "bot_messages", 1)) == "");
}

TEST_CASE("TEST_MODE schedules every match within a minute, whatever the probability") {
    auto& redis = shared_redis();
    support::sql database(shared_postgres().url());
    running_postrider bridge({.postgres_url = shared_postgres().url(),
                              .redis_url = redis.url(),
                              .environment = {{"BOT_IDS", "bot-1"},
                                              {"TEST_MODE", "true"},
                                              {"INITIATION_PROBABILITY", "0"},
                                              {"MIN_DELAY_MINUTES", "100"},
                                              {"MAX_DELAY_MINUTES", "200"}}});
    INFO(bridge.end_of_log());
    REQUIRE(bridge.becomes_ready());
    for (int i = 0; i < 60; ++i)
        database.notify("new_match", match("m" + std::to_string(i), "anna", "bot-1"));
    REQUIRE(bridge.answers("/stats", R"("events":60)"));
    // Of sixty even throws within a minute, some fall into its first seconds.
    const auto list = wait_for_list(redis, "bot_messages", 1, 60s);
    REQUIRE(!list.empty());
    CHECK(begins(list[0], R"({"type":"initiation",)"));
    CHECK(bridge.get("/stats").body.find(R"("skipped":0,"cancelled":0)") != std::string::npos);
    // Their copies in Redis tell by when the others leave.
    for (const std::string& name : redis.command({"KEYS", "postrider:delay:*"}))
        CHECK(redis.integer({"PTTL", name}) <= (24 * 3600 + 60) * 1000);
}

}  // namespace
}  // namespace postrider::test
