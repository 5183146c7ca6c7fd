// A stop while a server is silent or slow, and while others go on as if nothing were.
#include <doctest/doctest.h>

#include <csignal>

#include "message_table.hpp"
#include "running_postrider.hpp"
#include "servers.hpp"
#include "support/eventually.hpp"
#include "support/tcp_gate.hpp"

namespace postrider::test {
namespace {

TEST_CASE(
    "SIGTERM while Postgres is silent, or both servers: ends within 8 s, and Redis keeps what is open") {
    bool redis_too = false;
    SUBCASE("Postgres alone") {}
    SUBCASE("both") {
        redis_too = true;
    }
    auto& redis = shared_redis();
    support::tcp_gate to_postgres(shared_postgres().port());
    support::tcp_gate to_redis(redis.port());
    support::sql database(shared_postgres().url());
    running_postrider bridge({.postgres_url = postgres_at(to_postgres.port()),
                              .redis_url = redis_at(to_redis.port()),
                              .environment = {{"GROUPING_DELAY", "1h"}}});
    INFO(bridge.end_of_log());
    REQUIRE(bridge.becomes_ready());
    chat talk;
    database.notify("bot_events", talk.next("a"));
    const auto is_held = [&] { return redis.integer({"EXISTS", "context:a"}) == 1; };
    REQUIRE(support::eventually(is_held));
    // That the event is saved is the last thing that is written; the ping's answer comes behind that one's.
    REQUIRE(support::eventually([&] {
        const auto place =
            redis.command({"HMGET", "postrider:{bot_messages}:place:bot_events", "number", "base"});
        return std::stoull("0" + place.at(0)) == std::stoull("0" + place.at(1)) + 1;
    }));
    REQUIRE(bridge.get("/redis/ping").status == 200);
    // Neither who reads for ever nor who never finishes asking holds a stop up.
    raw_connection reader(bridge.port(), "GET /events HTTP/1.1\r\nHost: test\r\n\r\n");
    REQUIRE(reader.receive_some().starts_with("HTTP/1.1 200"));
    const raw_connection asker(bridge.port(), "GET /health HTT");

    to_postgres.stall();
    if (redis_too) to_redis.stall();
    bridge.signal(SIGTERM);
    CHECK(bridge.ends(8s) == 0);
    CHECK(bridge.log().find("may not all have been heard") != std::string::npos);
    CHECK(is_held());
    CHECK(redis.list("bot_messages").empty());
}

TEST_CASE("a stop ends the listening: what others go on writing is left to the next start, which brings it") {
    auto& redis = shared_redis();
    support::tcp_gate gate(redis.port());
    message_table table(shared_postgres().url());
    running_postrider bridge({.postgres_url = shared_postgres().url(),
                              .redis_url = redis_at(gate.port()),
                              .file = message_table::routes()});
    INFO(bridge.end_of_log());
    REQUIRE(bridge.becomes_ready());
    for (int i = 0; i < 20; ++i)
        REQUIRE(table.write_next());
    // So slow that something would always be under way, and the stop be cut short, if it heard these too.
    gate.delay(200ms);
    bridge.signal(SIGTERM);
    const bool is_gone = support::repeatedly([&] {
        REQUIRE(table.write_next());
        return bridge.get("/health/liveness").status == 0;
    });
    CHECK(is_gone);
    CHECK(bridge.ends() == 0);
    CHECK(redis.list("singles").size() < table.talk().total());

    gate.pass();
    bridge.start();
    CHECK(table.talk().verdict(wait_for_messages(redis, "singles", table.talk().total())) == "");
    CHECK(table.talk().verdict(wait_for_messages(redis, "groups", table.talk().total())) == "");
}

}  // namespace
}  // namespace postrider::test
