// A leader that has never been able to read Redis, and many events.
#include <doctest/doctest.h>

#include <csignal>

#include "long_outage.hpp"

namespace postrider::test {
namespace {

const std::string put_aside =
    "since it cannot be read (REDIS_BUFFER_BYTES); from here on events are put aside";

TEST_CASE(
    "Redis away from the start, and for long: what the memory may not hold is put aside, and all leave "
    "once") {
    long_outage t{.talk = chat(400)};
    t.redis.stop();
    running_postrider bridge(t.settings());
    INFO(bridge.end_of_log());
    REQUIRE(bridge.answers("/health/readiness", R"("role":"leader")"));
    t.say(5'000);
    REQUIRE(t.is_parked_at_least(4'250));
    CHECK(bridge.logs(put_aside));
    // What came first waits in memory.
    CHECK(t.parked() < 5'000);
    t.say(500);
    t.redis.start();
    t.say(2'000);
    t.check_everything_once();
    CHECK(bridge.answers("/health/readiness", R"("role":"leader")"));
    t.say(250);
    t.check_everything_once();
}

TEST_CASE(
    "the leader is killed before it could ever read Redis: the standby has what it had, each once and in "
    "order") {
    long_outage t;
    t.redis.stop();
    running_postrider first(t.settings());
    REQUIRE(first.answers("/health/readiness", R"("role":"leader")"));
    running_postrider second(t.settings());
    INFO(first.end_of_log());
    INFO(second.end_of_log());
    REQUIRE(second.logs("standing by"));
    t.say(5'000);
    REQUIRE(t.is_parked_at_least(3'000));
    first.kill();
    t.say(2'000);
    REQUIRE(second.answers("/health/readiness", R"("role":"leader")"));
    t.say(3'000);
    REQUIRE(second.logs(put_aside));
    // It holds what the first had in its memory, and puts aside what came behind the first's rows.
    REQUIRE(t.is_parked_at_least(6'000));
    t.redis.start();
    t.say(500);
    t.check_everything_once();
    CHECK(second.answers("/health/readiness", R"("role":"leader")"));
}

TEST_CASE("stopped before Redis could be read: what came is put aside, and the next start brings it") {
    long_outage t;
    t.redis.stop();
    std::size_t events = 500;
    SUBCASE("all of it was in memory") {}
    SUBCASE("most of it is in the table already") {
        events = 5'000;
    }
    {
        running_postrider bridge(t.settings());
        INFO(bridge.end_of_log());
        REQUIRE(bridge.answers("/health/readiness", R"("role":"leader")"));
        t.say(static_cast<int>(events));
        bridge.signal(SIGTERM);
        CHECK(bridge.ends() == 0);
        CHECK(bridge.log().find("they are put aside in Postgres, and the next start brings them") !=
              std::string::npos);
    }
    CHECK(t.parked() == events);
    {
        // Nor can it be read by the next one.
        running_postrider bridge(t.settings());
        INFO(bridge.end_of_log());
        REQUIRE(bridge.answers("/health/readiness", R"("role":"leader")"));
        t.say(250);
        bridge.signal(SIGTERM);
        CHECK(bridge.ends() == 0);
    }
    CHECK(t.parked() == events + 250);
    t.redis.start();
    running_postrider bridge(t.settings());
    INFO(bridge.end_of_log());
    REQUIRE(bridge.becomes_ready());
    t.say(250);
    t.check_everything_once();
}

TEST_CASE("killed while events come back that were put aside without numbers: each leaves once") {
    long_outage t;
    t.redis.stop();
    running_postrider bridge(t.settings());
    INFO(bridge.end_of_log());
    REQUIRE(bridge.answers("/health/readiness", R"("role":"leader")"));
    t.say(8'000);
    bridge.signal(SIGTERM);
    CHECK(bridge.ends() == 0);
    REQUIRE(t.parked() == 8'000);
    t.redis.start();
    const auto some_are_back = [&](std::size_t n) { return has_entries(t.redis, "singles", n, 60s); };
    bridge.start();
    REQUIRE(some_are_back(1'000));
    bridge.kill_and_start();
    REQUIRE(some_are_back(5'000));
    bridge.kill_and_start();
    t.check_everything_once();
}

}  // namespace
}  // namespace postrider::test
