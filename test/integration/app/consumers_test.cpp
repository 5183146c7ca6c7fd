#include <doctest/doctest.h>

#include <fstream>
#include <sstream>

#include "chat.hpp"
#include "running_postrider.hpp"
#include "servers.hpp"

namespace postrider::test {
namespace {

// What the workers do, in Debian's own Python with Debian's own redis package.
constexpr const char* worker = R"(
import json, redis, sys
client = redis.Redis(port=int(sys.argv[1]))
for _ in range(2):
    name, body = client.blpop("bot_messages", timeout=30)
    group = json.loads(body)
    print(name.decode(), group["type"], group["match_id"], group["bot_id"], group["count"],
          [m["id"] for m in group["messages"]], ascii(group["messages"][0]["content"]))
)";

postrider_settings quick_groups(const std::string& redis_url) {
    return {.postgres_url = shared_postgres().url(),
            .redis_url = redis_url,
            .environment = {{"GROUPING_DELAY", "300ms"}, {"PUSH_COOLDOWN", "0"}}};
}

std::string python(const std::string& port) {
    support::process::settings program;
    program.arguments = {"/usr/bin/python3", "-c", worker, port};
    program.environment = {{"PYTHONIOENCODING", "utf-8"}};
    return support::run_program(std::move(program));
}

TEST_CASE("Debian's python3-redis reads the groups with BLPOP and json.loads") {
    auto& redis = shared_redis();
    support::sql database(shared_postgres().url());
    running_postrider bridge(quick_groups(redis.url()));
    INFO(bridge.end_of_log());
    REQUIRE(bridge.becomes_ready());
    chat talk;
    notify_together(database, "bot_events", {talk.next("a"), talk.next("a")});
    REQUIRE(wait_for_list(redis, "bot_messages", 1).size() == 1);
    database.notify("bot_events", talk.next("b"));

    CHECK(python(std::to_string(redis.port())) ==
          "bot_messages grouped a ba 2 ['a-1', 'a-2'] 'h\\xe9 \\xfc .'\n"
          "bot_messages grouped b bb 1 ['b-1'] 'h\\xe9 \\xfc .'\n");
    CHECK(redis.list("bot_messages").empty());
}

// The README's own lines, on the server's port, and ended behind the second entry.
std::string reader_of_streams(const std::string& port) {
    std::ostringstream all;
    all << std::ifstream(POSTRIDER_SOURCE_FOLDER "/README.md").rdbuf();
    auto text = all.str();
    const std::string fence = "```python\n";
    auto from = text.find(fence, text.find("## Streams")) + fence.size();
    text = text.substr(from, text.find("```", from) - from);
    const std::string url = "redis://localhost:6379/0";
    text.replace(text.find(url), url.size(), "redis://127.0.0.1:" + port);
    const std::string acknowledge = "r.xack(";
    return text.replace(text.find(acknowledge), 0, "seen = globals().get('seen', 0) + 1; ") +
           "        if seen == 2: raise SystemExit\n";
}

TEST_CASE("a consumer group reads a stream as the README shows, and nothing stays unacknowledged") {
    auto& redis = shared_redis();
    support::sql database(shared_postgres().url());
    running_postrider bridge({.postgres_url = shared_postgres().url(), .redis_url = redis.url(), .file = R"(
[[route]]
name = "typing"
channel = "chat"
policy = "group"
key = "/match_id"
window = "100ms"
to = "typing_bursts"
target = "stream"
stream_fields = { match_id = "/match_id" }
)"});
    INFO(bridge.end_of_log());
    REQUIRE(bridge.becomes_ready());
    chat talk;
    notify_together(database, "chat", {talk.next("a"), talk.next("a"), talk.next("b")});
    support::process::settings program;
    program.arguments = {"/usr/bin/python3", "-c", reader_of_streams(std::to_string(redis.port()))};
    CHECK(support::run_program(std::move(program)) == "2 messages of a\n1 messages of b\n");
    CHECK(redis.integer({"XLEN", "typing_bursts"}) == 2);
    CHECK(redis.command({"XPENDING", "typing_bursts", "workers"}).front() == "0");
}

TEST_CASE("redis-cli --json BLPOP reads a group") {
    auto& redis = shared_redis();
    support::sql database(shared_postgres().url());
    running_postrider bridge(quick_groups(redis.url()));
    INFO(bridge.end_of_log());
    REQUIRE(bridge.becomes_ready());
    chat talk;
    notify_together(database, "bot_events", {talk.next("a"), talk.next("a")});

    support::process::settings program;
    program.arguments = {"redis-cli",    "-p", std::to_string(redis.port()), "--json", "BLPOP",
                         "bot_messages", "30"};
    const std::string answer = support::run_program(std::move(program));
    CAPTURE(answer);
    CHECK(answer.starts_with(
        R"(["bot_messages","{\"type\":\"grouped\",\"count\":2,\"messages\":[{\"id\":\"a-1\")"));
    CHECK(answer.ends_with("}\"]\n"));
}

}  // namespace
}  // namespace postrider::test
