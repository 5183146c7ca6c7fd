// Both servers are away, and come back one after the other.
#include <doctest/doctest.h>

#include "chat.hpp"
#include "running_postrider.hpp"
#include "servers.hpp"
#include "support/eventually.hpp"
#include "support/tcp_gate.hpp"
#include "talking.hpp"

namespace postrider::test {
namespace {

struct both_servers {
    explicit both_servers(const std::string& sections = {})
        : bridge({.postgres_url = postgres_at(to_postgres.port()),
                  .redis_url = redis_at(to_redis.port()),
                  .file = both_ways("300ms", "100ms", sections),
                  .reconnects_quickly = true}) {}

    support::redis_server& redis = shared_redis();
    support::sql database{shared_postgres().url()};
    support::tcp_gate to_postgres{shared_postgres().port()};
    support::tcp_gate to_redis{redis.port()};
    running_postrider bridge;
    chat talk;

    void send(std::size_t count) {
        std::vector<std::string> burst;
        for (std::size_t i = 0; i < count; ++i)
            burst.push_back(next_message(talk));
        notify_together(database, "chat", burst);
    }
    // So that nothing is on its way from Postgres.
    void wait_until_heard() {
        const auto words = R"("policy":"immediate","events":)" + std::to_string(talk.total()) + ",";
        REQUIRE(bridge.answers("/stats", words));
    }
    void lose_redis() {
        to_redis.refuse();
        REQUIRE(bridge.answers("/health/readiness", R"("redis":{"status":"down")"));
    }
    // A session that is new, while nobody else has led.
    void renew_session() {
        const auto log = bridge.log().size();
        to_postgres.cut();
        REQUIRE(bridge.logs("postgres: reconnected", 90s, log));
        REQUIRE(bridge.answers("/health/readiness", R"("database":{"status":"up")"));
    }
    void check_everything_once() {
        CHECK(talk.verdict(wait_for_list(redis, "singles", talk.total())) == "");
        CHECK(talk.verdict(wait_for_messages(redis, "groups", talk.total())) == "");
    }
};

TEST_CASE(
    "both servers are away and Postgres comes back first: what waited and what comes then arrive once") {
    both_servers t;
    INFO(t.bridge.end_of_log());
    REQUIRE(t.bridge.becomes_ready());
    t.send(50);
    REQUIRE(wait_for_list(t.redis, "singles", 50).size() == 50);
    for (int turn = 0; turn < 3; ++turn) {
        t.lose_redis();
        t.send(50);
        t.wait_until_heard();
        t.renew_session();
        t.send(50);
        t.to_redis.pass();
        t.check_everything_once();
    }
    CHECK(t.bridge.log().find("stepping down") == std::string::npos);
}

}  // namespace
}  // namespace postrider::test
