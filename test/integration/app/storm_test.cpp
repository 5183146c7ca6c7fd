// What the log says of a storm, and how its lines are found again.
#include <doctest/doctest.h>

#include <csignal>
#include <map>
#include <sstream>

#include "running_postrider.hpp"
#include "servers.hpp"
#include "support/eventually.hpp"

namespace postrider::test {
namespace {

constexpr const char* routes = R"(
[[route]]
name = "grouped"
channel = "chat"
policy = "group"
key = "/k"
window = "200ms"
cooldown = "0s"
to = "groups"
[[route]]
name = "wrong"
channel = "wrong"
policy = "immediate"
key = "/k"
to = "not_a_list"
)";

constexpr const char* one_by_one = R"(
[[route]]
name = "single"
channel = "events"
policy = "immediate"
key = "/k"
to = "sent"
[[route]]
name = "soon"
channel = "events"
policy = "delay"
key = "/k"
min_delay = "10ms"
max_delay = "10ms"
probability = 1
to = "sent"
[[route]]
name = "later"
channel = "events"
policy = "delay"
key = "/k"
min_delay = "1h"
max_delay = "1h"
probability = 1
cancel_on = "answers"
cancel_key = "/k"
to = "sent"
[[route]]
name = "never"
channel = "events"
policy = "delay"
key = "/k"
min_delay = "1h"
max_delay = "1h"
probability = 0
to = "sent"
)";

std::vector<std::string> lines_of(const std::string& log, std::string_view with) {
    std::vector<std::string> found;
    std::istringstream all(log);
    for (std::string line; std::getline(all, line);)
        if (line.find(with) != std::string::npos) found.push_back(line);
    return found;
}

// Behind `name`, up to a comma or the line's end.
std::string member(const std::string& line, const std::string& name) {
    const auto mark = "\"" + name + "\":";
    const auto at = line.find(mark);
    if (at == std::string::npos) return "";
    const auto from = at + mark.size();
    return line.substr(from, line.find_first_of(",}", from) - from);
}

// Each line stands for itself, or for as many as it says were repeated.
std::size_t told(const std::vector<std::string>& lines) {
    std::size_t sum = 0;
    for (const auto& line : lines) {
        const auto repeated = member(line, "repeated");
        sum += repeated.empty() ? 1 : std::stoul(repeated);
    }
    return sum;
}

std::vector<std::string> numbered(std::size_t many, const std::string& beginning) {
    std::vector<std::string> all;
    for (std::size_t i = 0; i < many; ++i)
        all.push_back(beginning + std::to_string(i));
    return all;
}

TEST_CASE("a storm of bad events and of refused pushes is some lines, and their counts make the sum") {
    constexpr std::size_t bad = 5'000, refused = 600;
    auto& redis = shared_redis();
    redis.command({"SET", "not_a_list", "text"});
    support::sql database(shared_postgres().url());
    running_postrider bridge({.postgres_url = shared_postgres().url(),
                              .redis_url = redis.url(),
                              .file = routes,
                              .environment = {{"LOG_FORMAT", "json"}}});
    INFO(bridge.end_of_log());
    REQUIRE(bridge.becomes_ready());
    notify_together(database, "chat", numbered(bad, "no JSON "));
    std::vector<std::string> pushes;
    for (std::size_t i = 0; i < refused; ++i)
        pushes.push_back(R"({"k":"k)" + std::to_string(i % 3) + R"(","n":)" + std::to_string(i) + "}");
    notify_together(database, "wrong", pushes);
    REQUIRE(bridge.answers("/stats", R"("failed":)" + std::to_string(refused)));
    REQUIRE(bridge.answers("/stats", R"("not_json":)" + std::to_string(bad)));

    SUBCASE("that come by themselves") {
        // No other line, and no end of the program, is needed.
        CHECK(support::eventually([&] { return told(lines_of(bridge.log(), "event left out: ")) == bad; },
                                  60s));
        CHECK(support::eventually(
            [&] { return told(lines_of(bridge.log(), "Redis refuses a push")) == refused; }, 60s));
    }
    SUBCASE("that come with the end at the latest") {}
    bridge.signal(SIGTERM);
    CHECK(bridge.ends() == 0);

    const auto left_out = lines_of(bridge.log(), "event left out: ");
    CHECK(told(left_out) == bad);
    CHECK(left_out.size() < 20);
    const auto refusals = lines_of(bridge.log(), "Redis refuses a push for good: WRONGTYPE");
    CHECK(refusals.size() < 50);
    // Nothing of one key was folded into another's.
    std::map<std::string, std::vector<std::string>> by_key;
    for (const auto& line : refusals)
        by_key[member(line, "key")].push_back(line);
    REQUIRE(by_key.size() == 3);
    for (const auto& of_a_key : by_key)
        CHECK_MESSAGE(told(of_a_key.second) == refused / 3, of_a_key.first);
    for (const auto& line : lines_of(bridge.log(), ""))
        CHECK_MESSAGE((line.starts_with("{\"severity\":\"") && line.ends_with("}")), line);
}

TEST_CASE("an event, its group and its push are found together by key and group, each at its level") {
    auto& redis = shared_redis();
    support::sql database(shared_postgres().url());
    running_postrider bridge({.postgres_url = shared_postgres().url(),
                              .redis_url = redis.url(),
                              .file = routes,
                              .environment = {{"LOG_FORMAT", "json"}, {"LOG_LEVEL", "debug"}}});
    INFO(bridge.end_of_log());
    REQUIRE(bridge.becomes_ready());
    notify_together(database, "chat", {R"({"k":"a \"b","n":1})", R"({"k":"c"})", R"({"k":"a \"b","n":2})"});
    REQUIRE(bridge.logs("\"messages\":2"));
    const auto pushed = lines_of(bridge.log(), "\"messages\":2");
    REQUIRE(pushed.size() == 1);
    CHECK(pushed.front().starts_with(R"({"severity":"INFO","time":")"));
    CHECK(pushed.front().find(R"("message":"group pushed","route":"grouped","key":"a \"b","group":")") !=
          std::string::npos);
    const auto together = lines_of(bridge.log(), "\"group\":" + member(pushed.front(), "group"));
    REQUIRE(together.size() == 3);
    for (int i = 0; i < 2; ++i) {
        CHECK(together[static_cast<std::size_t>(i)].starts_with(R"({"severity":"DEBUG")"));
        CHECK(together[static_cast<std::size_t>(i)].find(R"("message":"event taken")") != std::string::npos);
    }

    // The loss is a warning, the way back is information.
    redis.command({"CLIENT", "KILL", "TYPE", "normal"});
    REQUIRE(bridge.logs("reconnected after"));
    CHECK(lines_of(bridge.log(), "connection lost").front().starts_with(R"({"severity":"WARNING")"));
    CHECK(lines_of(bridge.log(), "reconnected after").front().starts_with(R"({"severity":"INFO")"));
}

TEST_CASE("of single and delayed events nothing is told at info, and all at debug") {
    auto& redis = shared_redis();
    support::sql database(shared_postgres().url());
    std::string level;
    SUBCASE("info") {
        level = "info";
    }
    SUBCASE("debug") {
        level = "debug";
    }
    running_postrider bridge({.postgres_url = shared_postgres().url(),
                              .redis_url = redis.url(),
                              .file = one_by_one,
                              .environment = {{"LOG_FORMAT", "json"}, {"LOG_LEVEL", level}}});
    INFO(bridge.end_of_log());
    REQUIRE(bridge.becomes_ready());
    notify_together(database, "events", {R"({"k":"quiet-1"})", R"({"k":"quiet-2"})"});
    REQUIRE(wait_for_list(redis, "sent", 4).size() == 4);
    database.notify("answers", R"({"k":"quiet-1"})");
    REQUIRE(bridge.answers("/stats", R"("cancelled":1)"));
    // Its end writes what the log still holds.
    bridge.signal(SIGTERM);
    CHECK(bridge.ends() == 0);
    const auto log = bridge.log();
    for (const std::string what : {"event taken", "event pushed", "soon: quiet-2 leaves at ",
                                   "later: quiet-1 cancelled by ", "event skipped"}) {
        CAPTURE(what);
        CHECK((log.find(what) != std::string::npos) == (level == "debug"));
    }
    for (const auto& line : lines_of(log, "quiet"))
        CHECK_MESSAGE((level == "debug" && line.starts_with(R"({"severity":"DEBUG")")), line);
}

}  // namespace
}  // namespace postrider::test
