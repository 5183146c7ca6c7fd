#include <doctest/doctest.h>

#include <csignal>

#include "chat.hpp"
#include "running_postrider.hpp"
#include "servers.hpp"
#include "support/eventually.hpp"
#include "support/tcp_gate.hpp"

namespace postrider::test {
namespace {

postrider_settings quick_groups(const std::string& redis_url) {
    return {.postgres_url = shared_postgres().url(),
            .redis_url = redis_url,
            .environment = {{"GROUPING_DELAY", "100ms"}, {"PUSH_COOLDOWN", "0"}}};
}

TEST_CASE("readiness is 503 while stopping, and a second SIGTERM ends it at once with its usual status") {
    auto& redis = shared_redis();
    support::tcp_gate gate(redis.port());
    support::sql database(shared_postgres().url());
    running_postrider bridge(quick_groups(redis_at(gate.port())));
    INFO(bridge.end_of_log());
    REQUIRE(bridge.becomes_ready());
    gate.stall();
    chat talk;
    database.notify("bot_events", talk.next("a"));
    REQUIRE(bridge.answers("/stats", R"("waiting":1)"));

    bridge.signal(SIGTERM);
    REQUIRE(bridge.answers("/health/readiness", R"("stopping":true)"));
    CHECK(bridge.get("/health/readiness").status == 503);
    CHECK(bridge.get("/health/liveness").status == 200);
    bridge.signal(SIGTERM);
    CHECK(bridge.ends() == 128 + SIGTERM);
    CHECK(bridge.log().find("stopped") == std::string::npos);
}

TEST_CASE("SIGTERM while Redis is silent: ends within 8 s, and says what was not delivered and where it is") {
    auto& redis = shared_redis();
    support::tcp_gate gate(redis.port());
    support::sql database(shared_postgres().url());
    running_postrider bridge(quick_groups(redis_at(gate.port())));
    INFO(bridge.end_of_log());
    REQUIRE(bridge.becomes_ready());
    gate.stall();
    chat talk;
    const auto message = talk.next("a");
    database.notify("bot_events", message);
    REQUIRE(bridge.answers("/stats", R"("waiting":1)"));
    bridge.signal(SIGTERM);
    CHECK(bridge.ends(8s) == 0);
    CHECK(bridge.log().find("that Redis has not taken; they are put aside in Postgres") != std::string::npos);
    CHECK(database.rows("DELETE FROM postrider.parked RETURNING payload") ==
          std::vector<std::vector<std::string>>{{message}});
}

TEST_CASE("what was committed before SIGTERM is heard and delivered, also what has not been read yet") {
    auto& redis = shared_redis();
    support::sql database(shared_postgres().url());
    auto settings = quick_groups(redis.url());
    settings.file =
        "[[route]]\nname = \"single\"\nchannel = \"burst\"\npolicy = \"immediate\"\nto = \"singles\"\n";
    running_postrider bridge(settings);
    INFO(bridge.end_of_log());
    REQUIRE(bridge.becomes_ready());
    chat talk;
    std::vector<std::string> burst;
    for (int i = 0; i < 10'000; ++i)
        burst.push_back(talk.next("k" + std::to_string(i % 100)));
    // So much comes at once that the signal is there first.
    bridge.signal(SIGSTOP);
    notify_together(database, "burst", burst);
    bridge.signal(SIGTERM);
    bridge.signal(SIGCONT);
    CHECK(bridge.ends() == 0);
    CHECK(talk.verdict(redis.list("singles")) == "");
    CHECK(bridge.log().find("may not all have been heard") == std::string::npos);
}

TEST_CASE("SIGTERM while Redis is slow: what is due is delivered before the end") {
    auto& redis = shared_redis();
    support::tcp_gate gate(redis.port());
    support::sql database(shared_postgres().url());
    running_postrider bridge(quick_groups(redis_at(gate.port())));
    INFO(bridge.end_of_log());
    REQUIRE(bridge.becomes_ready());
    gate.delay(200ms);
    chat talk;
    notify_together(database, "bot_events", {talk.next("a"), talk.next("b"), talk.next("c")});
    REQUIRE(bridge.answers("/stats", R"("waiting":3)"));
    bridge.signal(SIGTERM);
    CHECK(bridge.ends() == 0);
    CHECK(talk.verdict(redis.list("bot_messages")) == "");
}

TEST_CASE("SIGTERM where Redis refuses to hold open groups: they are pushed") {
    const support::temporary_folder folder;
    // May push, but not set a context.
    support::redis_server redis(
        {.user_commands_file = folder.write("users.acl",
                                            "user default on nopass ~* &* +@all\n"
                                            "user bridge on >secret ~bot_messages ~postrider:* &* +@all\n")});
    support::sql database(shared_postgres().url());
    running_postrider bridge({.postgres_url = shared_postgres().url(),
                              .redis_url = "redis://bridge:secret@127.0.0.1:" + std::to_string(redis.port()),
                              .environment = {{"GROUPING_DELAY", "60s"}}});
    INFO(bridge.end_of_log());
    REQUIRE(bridge.becomes_ready());
    chat talk;
    const std::vector<std::string> messages{talk.next("a"), talk.next("a")};
    notify_together(database, "bot_events", messages);
    REQUIRE(bridge.logs("open groups cannot be saved"));
    bridge.signal(SIGTERM);
    CHECK(bridge.ends(8s) == 0);
    CHECK(redis.list("bot_messages") == std::vector<std::string>{expected_group("a", messages)});
}

}  // namespace
}  // namespace postrider::test
