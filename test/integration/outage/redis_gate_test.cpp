#include <doctest/doctest.h>

#include "chat.hpp"
#include "running_postrider.hpp"
#include "servers.hpp"
#include "support/eventually.hpp"
#include "support/tcp_gate.hpp"
#include "talking.hpp"

namespace postrider::test {
namespace {

using direction = support::tcp_gate::direction;

constexpr const char* immediate = R"(
[[route]]
name = "single"
channel = "chat"
policy = "immediate"
to = "singles"
)";

// Far longer than the test: a group leaves with its second event.
constexpr const char* pairs = R"(
[[route]]
name = "pair"
channel = "chat"
policy = "group"
key = "/k"
window = "10m"
max_events = 2
to = "pairs"
)";

postrider_settings through(const support::tcp_gate& gate, const std::string& routes = immediate) {
    return {.postgres_url = shared_postgres().url(),
            .redis_url = redis_at(gate.port()),
            .file = routes,
            .environment = {{"REDIS_SOCKET_TIMEOUT", "1s"}, {"REDIS_CONNECT_TIMEOUT", "2s"}},
            .reconnects_quickly = true};
}

TEST_CASE("a half-open Redis is found within the socket timeout, and what came meanwhile arrives once") {
    auto& redis = shared_redis();
    support::tcp_gate gate(redis.port());
    support::sql database(shared_postgres().url());
    running_postrider bridge(through(gate));
    INFO(bridge.end_of_log());
    REQUIRE(bridge.becomes_ready());

    gate.stall();
    chat talk;
    for (int i = 0; i < 50; ++i)
        database.notify("chat", talk.next("a"));
    REQUIRE(bridge.logs("connection lost: no reply within 1 s"));
    REQUIRE(bridge.answers("/health/readiness", R"("redis":{"status":"down")"));
    CHECK(bridge.get("/health/readiness").status == 503);
    CHECK(bridge.get("/health").status == 200);
    CHECK(bridge.get("/redis/stats").status == 503);
    for (int i = 0; i < 50; ++i)
        database.notify("chat", talk.next("a"));
    gate.pass();
    CHECK(talk.verdict(wait_for_list(redis, "singles", 100)) == "");
    CHECK(bridge.logs("reconnected after "));
}

// Of a Redis that only this bridge and the test use: no former connection is left that could bring anything.
bool is_alone(support::redis_server& redis) {
    return support::eventually([&] {
        return redis.command({"INFO", "clients"}).front().find("connected_clients:2\r") != std::string::npos;
    });
}

TEST_CASE("what a dropped connection still carries is refused, however late it reaches Redis") {
    support::redis_server redis;
    support::tcp_gate gate(redis.port());
    support::sql database(shared_postgres().url());
    running_postrider bridge(through(gate));
    INFO(bridge.end_of_log());
    REQUIRE(bridge.becomes_ready());
    chat talk;
    std::vector<std::string> burst;
    // One goes by the script, a hundred as a transaction.
    SUBCASE("a push") {
        burst.push_back(talk.next("a"));
    }
    SUBCASE("a transaction") {
        for (int i = 0; i < 100; ++i)
            burst.push_back(talk.next("a"));
        notify_together(database, "chat", burst);
        REQUIRE(wait_for_list(redis, "singles", talk.total()).size() == talk.total());
        burst.clear();
        for (int i = 0; i < 100; ++i)
            burst.push_back(talk.next("a"));
    }
    gate.delay(5s);
    notify_together(database, "chat", burst);
    REQUIRE(bridge.logs("connection lost: no reply within 1 s"));
    // The new connection is quick, and what the old one carries is still under way.
    gate.delay(0s);
    REQUIRE(wait_for_list(redis, "singles", talk.total()).size() == talk.total());
    database.notify("chat", talk.next("a"));
    REQUIRE(wait_for_list(redis, "singles", talk.total()).size() == talk.total());
    CHECK(is_alone(redis));
    CHECK(talk.verdict(redis.list("singles")) == "");
    CHECK(bridge.log().find("stepping down") == std::string::npos);
}

TEST_CASE("what a dropped connection still saves is refused, and brings back nothing that is gone since") {
    support::redis_server redis;
    support::tcp_gate gate(redis.port());
    support::sql database(shared_postgres().url());
    running_postrider bridge(through(gate, pairs + std::string(reminders_route)));
    INFO(bridge.end_of_log());
    REQUIRE(bridge.becomes_ready());
    std::string saved, opens, ends;
    SUBCASE("an open group that has left") {
        saved = "context*";
        opens = ends = R"(NOTIFY chat, '{"k":1}')";
    }
    SUBCASE("a delayed event that was cancelled") {
        saved = "postrider:delay:*";
        opens = R"(NOTIFY reminders, '{"id":"a"}')";
        ends = R"(NOTIFY answers, '{"to":"a"}')";
    }
    const auto is_saved = [&] { return !redis.command({"KEYS", saved}).empty(); };
    gate.delay(5s);
    database.run(opens);
    REQUIRE(bridge.logs("connection lost: no reply within 1 s"));
    // The new connection is quick, and what the old one carries is still under way.
    gate.delay(0s);
    REQUIRE(support::eventually(is_saved));
    database.run(ends);
    REQUIRE(support::eventually([&] { return !is_saved(); }));
    CHECK(is_alone(redis));
    CHECK_FALSE(is_saved());
    CHECK(bridge.log().find("stepping down") == std::string::npos);
}

TEST_CASE("a push whose reply was lost is not done twice") {
    auto& redis = shared_redis();
    support::tcp_gate gate(redis.port());
    support::sql database(shared_postgres().url());
    running_postrider bridge(through(gate));
    INFO(bridge.end_of_log());
    REQUIRE(bridge.becomes_ready());

    chat talk;
    for (int time = 1; time <= 3; ++time) {
        bool lost = false;
        // Where something else was under way already, the push waits behind it, and the next one is tried.
        for (int attempt = 0; attempt < 10 && !lost; ++attempt) {
            gate.swallow(direction::to_client);
            database.notify("chat", talk.next("a"));
            // Redis has it, and the bridge does not know.
            lost = wait_for_list(redis, "singles", talk.total(), 3s).size() == talk.total();
            if (lost) break;
            gate.pass();
            REQUIRE(wait_for_list(redis, "singles", talk.total()).size() == talk.total());
        }
        REQUIRE(lost);
        const auto pushed = talk.total();
        REQUIRE(bridge.answers("/stats", R"("waiting":1)"));
        database.notify("chat", talk.next("a"));
        gate.pass();
        gate.cut();
        REQUIRE(bridge.answers("/stats", R"("pushed":)" + std::to_string(pushed + 1)));
        CHECK(talk.verdict(redis.list("singles")) == "");
    }
}

TEST_CASE("a Redis connection cut at any byte of a push or its reply: none lost, none twice, all in order") {
    auto& redis = shared_redis();
    support::tcp_gate gate(redis.port());
    support::sql database(shared_postgres().url());
    chat talk;
    for (std::size_t cut = 0; cut < 12; ++cut) {
        CAPTURE(cut);
        // A new process each time: one whose sessions are all short waits longer from cut to cut.
        running_postrider bridge(through(gate));
        INFO(bridge.end_of_log());
        REQUIRE(bridge.becomes_ready());
        // Within the pushes of these, and with every third within the replies.
        const bool reply = cut % 3 == 2;
        gate.cut_after(reply ? cut % 4 : cut * 97, reply ? direction::to_client : direction::to_server);
        for (int i = 0; i < 20; ++i)
            database.notify("chat", talk.next("k" + std::to_string(i % 3)));
        REQUIRE(wait_for_list(redis, "singles", talk.total()).size() >= talk.total());
        // The answers, too: a retry still under way would come after the comparison.
        REQUIRE(bridge.answers("/stats", R"("pushed":20)"));
        REQUIRE(talk.verdict(redis.list("singles")) == "");
        gate.pass();
    }
}

}  // namespace
}  // namespace postrider::test
