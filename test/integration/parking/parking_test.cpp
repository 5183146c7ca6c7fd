#include <doctest/doctest.h>

#include <csignal>

#include "command.hpp"
#include "long_outage.hpp"
#include "replicas.hpp"
#include "running_postrider.hpp"
#include "servers.hpp"
#include "support/eventually.hpp"
#include "support/pgbouncer.hpp"

namespace postrider::test {
namespace {

TEST_CASE("behind a session pooler events are put aside and come back as well") {
    long_outage t;
    const support::pgbouncer pooler(shared_postgres().port(), "session");
    auto wanted = t.settings();
    wanted.postgres_url = pooler.url();
    running_postrider bridge(wanted);
    INFO(bridge.end_of_log());
    REQUIRE(bridge.becomes_ready());
    t.redis.stop();
    t.say(5'000);
    REQUIRE(support::eventually(
        [&] { return t.database.rows("SELECT count(*) > 1000 FROM postrider.parked").at(0).at(0) == "t"; }));
    t.redis.start();
    CHECK(t.talk.verdict(wait_for_list(t.redis, "singles", t.talk.total())) == "");
    CHECK(t.talk.verdict(wait_for_messages(t.redis, "groups", t.talk.total())) == "");
    CHECK(support::eventually([&] { return t.parked() == 0; }));
}

TEST_CASE(
    "Redis away for long: what the memory may not hold is put aside in Postgres, and comes back in order") {
    long_outage t;
    running_postrider bridge(t.settings());
    INFO(bridge.end_of_log());
    REQUIRE(bridge.becomes_ready());
    t.say(500);
    REQUIRE(wait_for_list(t.redis, "singles", 500).size() == 500);
    CHECK(t.parked() == 0);
    const auto before = bridge.resident_bytes();

    t.redis.stop();
    // Two routes, and about 100 bytes an event: no more than 2,000 of them can wait. What Postgres has not
    // yet written waits too, so it is given the time.
    for (std::size_t sent = 2'500; sent <= 20'000; sent += 2'500) {
        t.say(2'500);
        REQUIRE(t.is_parked_at_least(sent - 2'500));
    }
    CHECK(bridge.log().find("events are put aside in Postgres") != std::string::npos);
    if (running_postrider::memory_is_its_own) CHECK(bridge.resident_bytes() < before + (12U << 20));
    CHECK(bridge.answers("/stats", R"("parking":true)"));

    t.redis.start();
    // Events go on while the others come back.
    t.say(2'000);
    t.check_everything_once();
    CHECK(bridge.answers("/stats", R"("parking":false)"));
    t.say(250);
    t.check_everything_once();
    MESSAGE("the peak was ", (bridge.peak_bytes() - before) >> 10, " KiB above what was resident before");
    if (running_postrider::memory_is_its_own)
        CHECK(bridge.peak_bytes() < before + (12U << 20));
    else
        MESSAGE("left out: the peak of the memory, which the sanitizer distorts");
}

TEST_CASE("open groups of more than may wait are no outage: nothing is put aside while Redis takes events") {
    long_outage t;
    running_postrider bridge({.postgres_url = shared_postgres().url(),
                              .redis_url = t.redis.url(),
                              .file = both_ways("15s", "0s", "[redis]\nbuffer_bytes = 131072\n")});
    INFO(bridge.end_of_log());
    REQUIRE(bridge.becomes_ready());
    for (int i = 0; i < 12; ++i) {
        t.say(250);
        REQUIRE(wait_for_list(t.redis, "singles", t.talk.total()).size() == t.talk.total());
        REQUIRE(bridge.answers("/stats", R"("waiting":0)"));
    }
    t.check_everything_once();
    CHECK(bridge.log().find("put aside") == std::string::npos);
}

TEST_CASE("killed while events come back from Postgres: each leaves once") {
    long_outage t;
    running_postrider bridge(t.settings());
    INFO(bridge.end_of_log());
    REQUIRE(bridge.becomes_ready());
    t.redis.stop();
    t.say(10'000);
    REQUIRE(t.is_parked_at_least(7'500));
    t.redis.start();
    const auto some_are_back = [&](std::size_t n) { return has_entries(t.redis, "singles", n, 60s); };
    REQUIRE(some_are_back(4'000));
    bridge.kill_and_start();
    REQUIRE(some_are_back(7'000));
    bridge.kill_and_start();
    t.check_everything_once();
}

TEST_CASE("the standby takes back what the leader has put aside, and what it has heard itself only once") {
    long_outage t;
    replicas two(t.settings());
    INFO(two.second.end_of_log());
    t.redis.stop();
    t.say(6'000);
    REQUIRE(t.is_parked_at_least(3'500));
    two.first.kill();
    t.say(2'000);
    t.redis.start();
    t.check_everything_once();
    CHECK(two.second.answers("/health/readiness", R"("role":"leader")"));
}

TEST_CASE(
    "a standby that may not hold a long outage has the oldest when the leader is killed, and all leave "
    "once") {
    long_outage t;
    replicas two(t.settings("65536"));
    INFO(two.second.end_of_log());
    t.say(500);
    REQUIRE(wait_for_list(t.redis, "singles", 500).size() == 500);
    t.redis.stop();
    // More than it holds of the oldest, 64 KiB, and of the newest, 1 MiB.
    t.say(20'000);
    REQUIRE(t.is_parked_at_least(19'500));
    REQUIRE(two.second.logs("is not held here any more", 60s));
    two.first.kill();
    t.say(1'000);
    t.redis.start();
    t.check_everything_once();
    CHECK(two.second.answers("/health/readiness", R"("role":"leader")"));
    CHECK(two.second.log().find("neither held here") == std::string::npos);
}

TEST_CASE("what a standby has not held and nobody else has is told with its number") {
    long_outage t;
    replicas two(t.settings("65536"));
    INFO(two.second.end_of_log());
    t.redis.stop();
    t.say(20'000);
    REQUIRE(t.is_parked_at_least(19'500));
    REQUIRE(two.second.logs("is not held here any more", 60s));
    two.first.kill();
    t.database.run("DELETE FROM postrider.parked");
    t.redis.start();
    const std::string words =
        " events on channel 'chat' were neither held here nor delivered, saved or put aside";
    REQUIRE(two.second.logs(words, 60s));
    CHECK(two.second.answers("/health/readiness", R"("role":"leader")"));
    const auto log = two.second.log();
    const auto number = log.rfind(' ', log.find(words) - 1) + 1;
    const auto missing = std::stoul(log.substr(number));
    // Exactly so many are.
    REQUIRE(wait_for_list(t.redis, "singles", 20'000 - missing).size() == 20'000 - missing);
    CHECK(support::eventually([&] { return t.parked() == 0; }, 60s));
    CHECK(t.redis.list("singles").size() == 20'000 - missing);
}

TEST_CASE("what comes to a new leader before Redis is back goes behind what the former one has put aside") {
    long_outage t;
    running_postrider bridge(t.settings());
    REQUIRE(bridge.becomes_ready());
    t.redis.stop();
    t.say(6'000);
    // What comes after the signal is not taken any more.
    REQUIRE(t.is_parked("k99-60"));
    bridge.signal(SIGTERM);
    CHECK(bridge.ends(8s) == 0);
    // What was in memory as well, once for each route.
    CHECK(t.parked() > 6'000);
    bridge.start();
    INFO(bridge.end_of_log());
    REQUIRE(bridge.logs("postgres: listening at", 60s));
    t.say(1'000);
    t.redis.start();
    t.check_everything_once();
}

TEST_CASE(
    "while the rights on what was put aside are withdrawn nothing goes on, and afterwards all in order") {
    long_outage t;
    auto settings = t.settings();
    settings.postgres_url = t.as_plain_user();
    replicas two(settings);
    INFO(two.second.end_of_log());
    t.redis.stop();
    t.say(6'000);
    REQUIRE(t.is_parked_at_least(3'500));
    t.database.run("REVOKE ALL ON ALL TABLES IN SCHEMA postrider FROM plain");
    two.first.kill();
    t.redis.start();
    const std::string words = "ERROR postgres: events that were put aside cannot be looked for yet";
    REQUIRE(two.second.logs(words, 60s));
    t.say(250);
    CHECK(two.second.get("/health/readiness").status == 503);
    CHECK(t.redis.list("singles").empty());
    CHECK(two.second.log().find(words) == two.second.log().rfind(words));
    t.database.run("GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA postrider TO plain");
    t.check_everything_once();
    CHECK(two.second.becomes_ready());
}

TEST_CASE("without the table everything waits in memory, and leaves in order once Redis is back") {
    long_outage t;
    running_postrider bridge(t.without_table());
    INFO(bridge.end_of_log());
    REQUIRE(bridge.becomes_ready());
    t.redis.stop();
    t.say(5'000);
    REQUIRE(bridge.logs("events cannot be put aside or taken back yet", 60s));
    t.redis.start();
    t.say(1'000);
    const auto singles = wait_for_list(t.redis, "singles", t.talk.total(), 90s);
    const auto groups = wait_for_messages(t.redis, "groups", t.talk.total(), 90s);
    CHECK(t.talk.verdict(singles) == "");
    CHECK(t.talk.verdict(groups) == "");
    CHECK(bridge.answers("/stats", R"("parking":false)"));
}

TEST_CASE("a stop that can put nothing aside says that it is lost, and ends with status 1") {
    long_outage t;
    running_postrider bridge(t.without_table());
    INFO(bridge.end_of_log());
    REQUIRE(bridge.becomes_ready());
    t.redis.stop();
    t.say(250);
    REQUIRE(bridge.answers("/stats", R"("events":250)"));
    bridge.signal(SIGTERM);
    CHECK(bridge.ends() == 1);
    CHECK(bridge.log().find("that Redis has not taken; without a catch-up they are lost") !=
          std::string::npos);
}

}  // namespace
}  // namespace postrider::test
