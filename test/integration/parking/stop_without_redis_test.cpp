// A stop while Redis is away: what waits in memory is put aside in Postgres, and the next start brings it.
#include <doctest/doctest.h>

#include <csignal>

#include "chat.hpp"
#include "replicas.hpp"
#include "running_postrider.hpp"
#include "servers.hpp"
#include "support/eventually.hpp"
#include "talking.hpp"

namespace postrider::test {
namespace {

struct stopped_in_an_outage {
    support::redis_server redis;
    support::sql database{shared_postgres().url()};
    chat talk;

    postrider_settings settings(const std::string& window) {
        return {.postgres_url = shared_postgres().url(),
                .redis_url = redis.url(),
                .file = both_ways(window, "0s"),
                .reconnects_quickly = true};
    }
    void say(int events) {
        std::vector<std::string> burst;
        for (int i = 0; i < events; ++i)
            burst.push_back(talk.next("k" + std::to_string(talk.total() % 10)));
        notify_together(database, "chat", burst);
    }
    bool has_taken(const running_postrider& bridge, std::size_t events) {
        return bridge.answers("/stats", R"("events":)" + std::to_string(events));
    }
    std::size_t parked() {
        return std::stoul(database.rows("SELECT count(*) FROM postrider.parked").at(0).at(0));
    }
    void check_everything_once() {
        const auto singles = wait_for_list(redis, "singles", talk.total(), 90s);
        const auto groups = wait_for_messages(redis, "groups", talk.total(), 90s);
        CHECK(talk.verdict(singles) == "");
        CHECK(talk.verdict(groups) == "");
        CHECK(support::eventually([&] { return parked() == 0; }));
    }
};

// In order; the exit status.
int stop(running_postrider& bridge) {
    bridge.signal(SIGTERM);
    return bridge.ends(8s);
}

TEST_CASE("stopped while Redis is away: the next start brings what waited, each once and in order") {
    stopped_in_an_outage t;
    std::string window;
    SUBCASE("groups that were due") {
        window = "100ms";
    }
    SUBCASE("groups that are open, of which Redis has the beginning") {
        window = "8s";
    }
    running_postrider bridge(t.settings(window));
    REQUIRE(bridge.becomes_ready());
    t.say(25);
    REQUIRE(wait_for_list(t.redis, "singles", 25).size() == 25);
    const auto holds_groups = [&] { return t.redis.command({"KEYS", "context@grouped:*"}).size() == 10; };
    if (window == "8s") REQUIRE(support::eventually(holds_groups));
    t.redis.stop();
    t.say(38);
    t.say(27);
    REQUIRE(t.has_taken(bridge, 90));
    CHECK(stop(bridge) == 0);
    CHECK(bridge.log().find("they are put aside in Postgres, and the next start brings them") !=
          std::string::npos);
    CHECK(t.parked() >= 130);
    t.redis.start();
    bridge.start();
    INFO(bridge.end_of_log());
    REQUIRE(bridge.becomes_ready());
    t.say(20);
    t.check_everything_once();
}

TEST_CASE("stopped twice before Redis is back: nothing is put aside twice") {
    stopped_in_an_outage t;
    running_postrider bridge(t.settings("100ms"));
    REQUIRE(bridge.becomes_ready());
    t.redis.stop();
    t.say(60);
    REQUIRE(t.has_taken(bridge, 60));
    CHECK(stop(bridge) == 0);
    const auto parked = t.parked();
    bridge.start();
    REQUIRE(bridge.logs("postgres: listening at"));
    CHECK(stop(bridge) == 0);
    CHECK(t.parked() == parked);
    t.redis.start();
    bridge.start();
    INFO(bridge.end_of_log());
    REQUIRE(bridge.becomes_ready());
    t.check_everything_once();
}

TEST_CASE(
    "a leader that stops while Redis is away leaves to the standby what both have heard, and all once") {
    stopped_in_an_outage t;
    replicas two(t.settings("100ms"));
    INFO(two.second.end_of_log());
    t.say(20);
    REQUIRE(wait_for_messages(t.redis, "groups", 20).size() >= 10);
    t.redis.stop();
    t.say(73);
    REQUIRE(t.has_taken(two.first, 93));
    CHECK(stop(two.first) == 0);
    t.say(20);
    t.redis.start();
    t.check_everything_once();
    CHECK(two.second.answers("/health/readiness", R"("role":"leader")"));
}

TEST_CASE("a standby that came during the outage tells what both have heard from what it alone has") {
    stopped_in_an_outage t;
    running_postrider first(t.settings("100ms"));
    REQUIRE(first.becomes_ready());
    t.redis.stop();
    t.say(40);
    REQUIRE(t.has_taken(first, 40));
    running_postrider second(t.settings("100ms"));
    INFO(second.end_of_log());
    REQUIRE(second.logs("postgres: listening at"));
    t.say(33);
    REQUIRE(t.has_taken(first, 73));
    CHECK(stop(first) == 0);
    t.say(20);
    t.redis.start();
    t.check_everything_once();
    CHECK(second.answers("/health/readiness", R"("role":"leader")"));
}

TEST_CASE("a delayed event that Redis never had is put aside too, and leaves once") {
    stopped_in_an_outage t;
    running_postrider bridge({.postgres_url = shared_postgres().url(), .redis_url = t.redis.url(), .file = R"(
[[route]]
name = "later"
channel = "later"
policy = "delay"
key = "/id"
min_delay = "3s"
max_delay = "3s"
cancel_on = "cancels"
cancel_key = "/id"
to = "later"
)"});
    REQUIRE(bridge.becomes_ready());
    t.redis.stop();
    t.database.notify("later", R"({"id":"cancelled"})");
    t.database.notify("cancels", R"({"id":"cancelled"})");
    t.database.notify("later", R"({"id":"kept"})");
    REQUIRE(t.has_taken(bridge, 2));
    CHECK(stop(bridge) == 0);
    CHECK(t.database.rows("SELECT payload FROM postrider.parked") ==
          std::vector<std::vector<std::string>>{{R"({"id":"kept"})"}});
    t.redis.start();
    bridge.start();
    INFO(bridge.end_of_log());
    REQUIRE(wait_for_list(t.redis, "later", 1).size() == 1);
    CHECK(support::eventually([&] { return t.parked() == 0; }));
    const auto left = t.redis.list("later");
    REQUIRE(left.size() == 1);
    CHECK(left[0].find(R"("match":{"id":"kept"})") != std::string::npos);
}

TEST_CASE(
    "stopped while Redis does not answer to what was saved last: it is put aside, and not said to be safe") {
    forget_parked();
    support::redis_server redis;
    support::sql database(shared_postgres().url());
    const auto settings = [&](const std::string& window) {
        return postrider_settings{.postgres_url = shared_postgres().url(),
                                  .redis_url = redis.url(),
                                  .environment = {{"GROUPING_DELAY", window}}};
    };
    chat talk;
    {
        running_postrider bridge(settings("1h"));
        INFO(bridge.end_of_log());
        REQUIRE(bridge.becomes_ready());
        redis.pause();
        database.notify("bot_events", talk.next("a"));
        REQUIRE(bridge.answers("/stats", R"("events":1)"));
        bridge.signal(SIGTERM);
        CHECK(bridge.ends() == 0);
    }
    // What has reached it goes with it.
    redis.kill();
    redis.start();
    CHECK(redis.command({"KEYS", "context*"}).empty());
    CHECK(database.rows("SELECT FROM postrider.parked").size() == 1);
    running_postrider bridge(settings("100ms"));
    INFO(bridge.end_of_log());
    CHECK(talk.verdict(wait_for_list(redis, "bot_messages", 1)) == "");
}

}  // namespace
}  // namespace postrider::test
