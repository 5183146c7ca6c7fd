// Bridges of different names, each with a database of its own, that push to one list.
#include <doctest/doctest.h>

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "chat.hpp"
#include "running_postrider.hpp"
#include "servers.hpp"
#include "support/eventually.hpp"
#include "talking.hpp"

namespace postrider::test {
namespace {

// One of them, and the conversations in its database. The keys are the same in every database: what belongs
// to which bridge is told by the ids alone.
struct side {
    side(std::string bridge_name, const std::string& redis_url, const std::string& database_name,
         const std::string& file)
        : name(std::move(bridge_name)),
          url(new_database(database_name)),
          database(url),
          bridge(
              {.postgres_url = url,
               .redis_url = redis_url,
               .file = file,
               .environment = {{"POSTRIDER_NAME", name}, {"GROUPING_DELAY", "1s"}, {"PUSH_COOLDOWN", "0"}}}) {
    }

    // The next message of "k0" … "k9" in turn.
    std::string next(chat& talk) {
        const auto key = "k" + std::to_string(sent++ % 10);
        auto text = talk.next(name + "." + key);
        const std::string match = R"("match_id":")";
        return text.replace(text.find(match) + match.size(), name.size() + 1, "");
    }
    void say(chat& talk, int messages) {
        for (int i = 0; i < messages; ++i)
            database.notify("bot_events", next(talk));
    }

    std::string name;
    std::string url;
    support::sql database;
    running_postrider bridge;
    int sent = 0;
};

// What this bridge was sent stands in Redis, in open groups or on the list: a kill takes nothing of it.
bool is_safe(support::redis_server& redis, const side& s) {
    return support::eventually([&] {
        std::vector<std::string> all;
        for (const auto& key : redis.command({"KEYS", "*context:*"}))
            for (auto& text : redis.command({"GET", key}))
                all.push_back(std::move(text));
        // Read last: a group that leaves meanwhile is found here.
        for (auto& body : redis.list("bot_messages"))
            all.push_back(std::move(body));
        std::set<std::string> found;
        for (auto& id : ids_in(all))
            if (id.starts_with(s.name + ".")) found.insert(std::move(id));
        return found.size() == static_cast<std::size_t>(s.sent);
    });
}

// Each group holds the messages of one bridge alone.
std::string mixed(const std::vector<std::string>& groups) {
    for (const auto& group : groups) {
        std::set<std::string> names;
        for (const auto& id : ids_in({group}))
            names.insert(id.substr(0, id.find('.')));
        if (names.size() != 1) return group;
    }
    return {};
}

void check_peace(const side& s) {
    INFO(s.bridge.end_of_log());
    CHECK(s.bridge.log().find("stepping down") == std::string::npos);
    CHECK(s.bridge.log().find("left alone") == std::string::npos);
}

TEST_CASE(
    "two bridges with the built-in routes push to one list at the same time: each event once, also when one "
    "is killed") {
    auto& redis = shared_redis();
    chat talk;
    side first("postrider", redis.url(), "bridges_load_first", "");
    side second("second", redis.url(), "bridges_load_second", "");
    INFO(first.bridge.end_of_log());
    INFO(second.bridge.end_of_log());
    for (auto* s : {&first, &second})
        REQUIRE(s->bridge.becomes_ready());
    const auto both_say = [&](int messages) {
        for (int i = 0; i < messages; ++i)
            for (auto* s : {&first, &second})
                s->say(talk, 1);
    };
    both_say(100);
    auto* other = &second;
    for (auto* killed : {&first, &second}) {
        REQUIRE(is_safe(redis, *killed));
        check_peace(*killed);
        killed->bridge.kill();
        other->say(talk, 50);
        killed->bridge.start();
        REQUIRE(killed->bridge.becomes_ready());
        killed->say(talk, 50);
        other = killed;
    }
    both_say(50);
    const auto groups = wait_for_messages(redis, "bot_messages", talk.total());
    CHECK(talk.total() == 500);
    CHECK(talk.verdict(groups) == "");
    CHECK(mixed(groups) == "");
    for (auto* s : {&first, &second})
        check_peace(*s);
}

// Groups that leave with their third message, and reminders that wait for longer than the test.
const std::string patient = std::string(reminders_route) + R"(
[[route]]
name = "bot_events"
channel = "bot_events"
policy = "group"
key = "/match_id"
window = "1h"
max_events = 3
to = "bot_messages"
)";

TEST_CASE("each of two bridges adopts its own open groups and delayed events after a kill, and no other's") {
    auto& redis = shared_redis();
    chat talk;
    side first("postrider", redis.url(), "bridges_adopt_first", patient);
    side second("second", redis.url(), "bridges_adopt_second", patient);
    const auto both = {&first, &second};
    for (auto* s : both) {
        INFO(s->bridge.end_of_log());
        REQUIRE(s->bridge.becomes_ready());
        s->say(talk, 20);
        s->database.notify("reminders", R"({"id":"r1"})");
    }
    for (auto* s : both)
        REQUIRE(is_safe(redis, *s));
    REQUIRE(support::eventually([&] { return redis.command({"KEYS", "*delay:*"}).size() == 2; }));
    CHECK(redis.command({"KEYS", "context:*"}).size() == 10);
    CHECK(redis.command({"KEYS", "postrider@second:context:*"}).size() == 10);
    for (auto* s : both)
        s->bridge.kill();
    for (auto* s : both) {
        INFO(s->bridge.end_of_log());
        s->bridge.start();
        REQUIRE(s->bridge.logs("adopted 11 open groups and delayed events"));
        REQUIRE(s->bridge.becomes_ready());
    }
    CHECK(redis.list("bot_messages").empty());
    // The one is cancelled by an answer in its own database, the other one stays.
    second.database.notify("answers", R"({"to":"r1"})");
    REQUIRE(support::eventually([&] { return redis.command({"KEYS", "*delay:*"}).size() == 1; }));
    CHECK(redis.command({"KEYS", "postrider:delay:*"}).size() == 1);
    for (auto* s : both)
        s->say(talk, 10);
    const auto left = wait_for_messages(redis, "bot_messages", talk.total());
    CHECK(left.size() == 20);
    CHECK(talk.verdict(left) == "");
    CHECK(mixed(left) == "");
    REQUIRE(support::eventually([&] { return redis.command({"KEYS", "*context*"}).empty(); }));
    for (auto* s : both)
        check_peace(*s);
}

TEST_CASE("a bridge whose targets are claimed from another database under its own name says what to do") {
    auto& redis = shared_redis();
    chat talk;
    side first("chat", redis.url(), "bridges_name_first", "");
    REQUIRE(first.bridge.becomes_ready());
    side second("chat", redis.url(), "bridges_name_second", "");
    INFO(first.bridge.end_of_log());
    REQUIRE(second.bridge.logs("leading"));
    // It finds out with the next thing that it writes.
    const std::string words = "another process with the name 'chat' has claimed the targets in Redis";
    CHECK(support::eventually([&] {
        first.say(talk, 1);
        return first.bridge.log().find(words) != std::string::npos;
    }));
    CHECK(first.bridge.answers("/stats", words));
}

}  // namespace
}  // namespace postrider::test
