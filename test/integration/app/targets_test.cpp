#include <doctest/doctest.h>

#include <memory>
#include <string_view>

#include "chat.hpp"
#include "running_postrider.hpp"
#include "servers.hpp"
#include "support/eventually.hpp"

namespace postrider::test {
namespace {

std::string to_target(const std::string& target) {
    return R"(
[[route]]
name = "single"
channel = "chat"
policy = "immediate"
to = "out"
target = )" +
           target;
}

// Who listens to a channel, and prints what comes as JSON.
std::unique_ptr<support::process> subscribed(support::redis_server& redis, const std::string& channel) {
    support::process::settings program;
    program.arguments = {"redis-cli", "-p", std::to_string(redis.port()), "--json", "SUBSCRIBE", channel};
    auto subscriber = std::make_unique<support::process>(std::move(program));
    REQUIRE(support::eventually([&] {
        return redis.command({"PUBSUB", "NUMSUB", channel}) == std::vector<std::string>{channel, "1"};
    }));
    return subscriber;
}

std::size_t count(std::string_view text, std::string_view part) {
    std::size_t n = 0;
    for (auto at = text.find(part); at != std::string_view::npos; at = text.find(part, at + part.size()))
        ++n;
    return n;
}

TEST_CASE("a stream target gets an entry for each event, in order") {
    auto& redis = shared_redis();
    support::sql database(shared_postgres().url());
    running_postrider bridge({.postgres_url = shared_postgres().url(),
                              .redis_url = redis.url(),
                              .file = to_target("\"stream\"\n")});
    INFO(bridge.end_of_log());
    REQUIRE(bridge.becomes_ready());
    chat talk;
    std::vector<std::string> sent;
    for (int i = 0; i < 20; ++i)
        sent.push_back(talk.next("a"));
    notify_together(database, "chat", sent);
    REQUIRE(support::eventually([&] { return redis.integer({"XLEN", "out"}) == 20; }));
    // Each entry comes as its id, the field's name and its value.
    const auto flat = redis.command({"XRANGE", "out", "-", "+"});
    std::vector<std::string> values;
    for (std::size_t i = 0; i + 2 < flat.size(); i += 3) {
        CHECK(flat[i + 1] == "data");
        values.push_back(flat[i + 2]);
    }
    CHECK(values == sent);
}

TEST_CASE("a stream's entries carry the fields that their own route names") {
    auto& redis = shared_redis();
    support::sql database(shared_postgres().url());
    // Both routes share the stream, so that one script call carries entries with other numbers of fields.
    running_postrider bridge(
        {.postgres_url = shared_postgres().url(),
         .redis_url = redis.url(),
         .file = to_target("\"stream\"\nid = \"/id\"\nmax_length = 1000\n"
                           "stream_fields = { match_id = \"/match_id\", n = \"/n\" }\n") +
                 R"(
[[route]]
name = "grouped"
channel = "chat"
policy = "group"
key = "/match_id"
window = "100ms"
cooldown = "0s"
to = "out"
target = "stream"
max_length = 1000
stream_fields = { first = "/id" }
)"});
    INFO(bridge.end_of_log());
    REQUIRE(bridge.becomes_ready());
    const std::string one = R"({"id":"1","match_id":"a","n":[1, 2]})";
    const std::string two = R"({"id":"2","match_id":"a"})";
    notify_together(database, "chat", {one, two});
    REQUIRE(support::eventually([&] { return redis.integer({"XLEN", "out"}) == 3; }));
    auto flat = redis.command({"XRANGE", "out", "-", "+"});
    REQUIRE(flat.size() == 7 + 7 + 5);
    for (const auto id : {14, 7, 0})
        flat.erase(flat.begin() + id);
    const auto group = R"({"type":"grouped","count":2,"messages":[)" + one + "," + two + "]}";
    CHECK(flat == std::vector<std::string>{"data", one, "match_id", "a", "n", "[1, 2]",  //
                                           "data", two, "match_id", "a", "n", "null",    //
                                           "data", group, "first", "1"});
}

TEST_CASE("a stream target keeps about max_length entries") {
    auto& redis = shared_redis();
    support::sql database(shared_postgres().url());
    running_postrider bridge({.postgres_url = shared_postgres().url(),
                              .redis_url = redis.url(),
                              .file = to_target("\"stream\"\nmax_length = 100\n")});
    INFO(bridge.end_of_log());
    REQUIRE(bridge.becomes_ready());
    chat talk;
    std::vector<std::string> sent;
    for (int i = 0; i < 1000; ++i)
        sent.push_back(talk.next("a"));
    notify_together(database, "chat", sent);
    REQUIRE(bridge.answers("/stats", R"("pushed":1000)"));
    const auto kept = redis.integer({"XLEN", "out"});
    // Redis drops whole nodes of a hundred entries.
    CHECK(kept >= 100);
    CHECK(kept <= 300);
}

TEST_CASE("a pubsub target reaches those who listen, and the log says that it keeps nothing") {
    auto& redis = shared_redis();
    support::sql database(shared_postgres().url());
    running_postrider bridge({.postgres_url = shared_postgres().url(),
                              .redis_url = redis.url(),
                              .file = to_target("\"pubsub\"\n")});
    INFO(bridge.end_of_log());
    REQUIRE(bridge.becomes_ready());
    CHECK(bridge.logs("route 'single': target pubsub keeps nothing"));

    const auto subscriber = subscribed(redis, "out");
    chat talk;
    database.notify("chat", talk.next("a"));
    CHECK(subscriber->wait_for_output(R"({\"id\":\"a-1\", \"match_id\":\"a\")"));
    CHECK(redis.integer({"EXISTS", "out"}) == 0);
}

TEST_CASE("a list and a channel of one name both get their events, each once") {
    auto& redis = shared_redis();
    support::sql database(shared_postgres().url());
    running_postrider bridge({.postgres_url = shared_postgres().url(), .redis_url = redis.url(), .file = R"(
[[route]]
name = "told"
channel = "chat"
policy = "immediate"
target = "pubsub"
to = "out"
)" + to_target("\"list\"\n")});
    INFO(bridge.end_of_log());
    REQUIRE(bridge.becomes_ready());
    const auto subscriber = subscribed(redis, "out");
    chat talk;
    for (int round = 0; round < 20; ++round) {
        for (int i = 0; i < 10; ++i)
            database.notify("chat", talk.next("k" + std::to_string(i)));
        REQUIRE(has_entries(redis, "out", talk.total()));
    }
    CHECK(talk.verdict(wait_for_list(redis, "out", talk.total())) == "");
    database.notify("chat", R"({"id":"the last"})");
    REQUIRE(subscriber->wait_for_output("the last"));
    CHECK(count(subscriber->output(), R"({\"id\":\"k)") == talk.total());
    CHECK(bridge.log().find("stepping down") == std::string::npos);
    const auto stats = bridge.get("/redis/stats").body;
    CHECK(count(stats, R"("out":{"keys")") == 1);
}

TEST_CASE("a target that refuses everything takes nothing of its neighbour along, and the other way round") {
    auto& redis = shared_redis();
    redis.command({"SET", "out", "no list"});
    support::sql database(shared_postgres().url());
    // Every message is pushed to the one target while its open group is written beside the other.
    running_postrider bridge({.postgres_url = shared_postgres().url(), .redis_url = redis.url(), .file = R"(
[[route]]
name = "grouped"
channel = "chat"
policy = "group"
key = "/match_id"
window = "1s"
to = "groups"
fields = { match_id = "/match_id" }
)" + to_target("\"list\"\n")});
    INFO(bridge.end_of_log());
    REQUIRE(bridge.becomes_ready());
    chat talk;
    for (int i = 0; i < 2'000; ++i)
        database.notify("chat", talk.next("k" + std::to_string(i % 50)));
    REQUIRE(bridge.answers("/stats", R"("failed":2000)"));
    CHECK(talk.verdict(wait_for_messages(redis, "groups", talk.total())) == "");
    CHECK(bridge.log().find("cannot be saved") == std::string::npos);
}

}  // namespace
}  // namespace postrider::test
