// The seeds of trouble that users of such bridges know.
#include <doctest/doctest.h>

#include "chat.hpp"
#include "running_postrider.hpp"
#include "servers.hpp"
#include "support/tcp_gate.hpp"
#include "talking.hpp"

namespace postrider::test {
namespace {

std::vector<std::string> messages(chat& talk, int count) {
    std::vector<std::string> all;
    for (int i = 0; i < count; ++i)
        all.push_back(talk.next("k" + std::to_string(talk.total() % 7)));
    return all;
}

void check_all(support::redis_server& redis, const running_postrider& bridge, const chat& talk) {
    CHECK(talk.verdict(wait_for_messages(redis, "groups", talk.total())) == "");
    REQUIRE(wait_for_list(redis, "singles", talk.total()).size() >= talk.total());
    // A second delivery would come right behind the last acknowledgement.
    REQUIRE(bridge.answers("/stats", R"("pushed":)" + std::to_string(talk.total())));
    CHECK(talk.verdict(redis.list("singles")) == "");
}

// A bridge with a Redis of its own.
struct bridged {
    bridged() { REQUIRE_MESSAGE(bridge.becomes_ready(), bridge.end_of_log()); }
    void say(int count) {
        for (const auto& m : messages(talk, count))
            database.notify("chat", m);
    }

    support::redis_server redis;
    support::sql database{shared_postgres().url()};
    running_postrider bridge{{.postgres_url = shared_postgres().url(),
                              .redis_url = redis.url(),
                              .file = both_ways("100ms", "100ms"),
                              .reconnects_quickly = true}};
    chat talk;
};

TEST_CASE("a hundred quick messages while Redis restarts five times: all delivered, none twice, in order") {
    bridged b;
    INFO(b.bridge.end_of_log());
    for (int restart = 0; restart < 5; ++restart) {
        b.say(10);
        // By turns an orderly stop and a kill, which takes replies to pushes along.
        if (restart % 2 == 0) {
            b.redis.stop();
        } else {
            b.redis.kill();
        }
        b.say(10);
        b.redis.start();
    }
    REQUIRE(b.talk.total() == 100);
    check_all(b.redis, b.bridge, b.talk);
}

TEST_CASE("a reset in the middle of a pipeline of 500: none lost, none twice, in order") {
    auto& redis = shared_redis();
    support::tcp_gate gate(redis.port());
    support::sql database(shared_postgres().url());
    running_postrider bridge({.postgres_url = shared_postgres().url(),
                              .redis_url = redis_at(gate.port()),
                              .file = both_ways("100ms", "100ms"),
                              .reconnects_quickly = true});
    INFO(bridge.end_of_log());
    REQUIRE(bridge.becomes_ready());
    chat talk;
    using direction = support::tcp_gate::direction;
    // Within the pushes, and within the replies to what Redis has done.
    const std::vector<std::pair<std::size_t, direction>> cuts{
        {1'000, direction::to_server}, {20'000, direction::to_server}, {40'000, direction::to_server},
        {0, direction::to_client},     {3, direction::to_client},
    };
    for (const auto& [bytes, which] : cuts) {
        gate.cut_after(bytes, which);
        notify_together(database, "chat", messages(talk, 500));
        check_all(redis, bridge, talk);
    }
    CHECK(gate.accepted() >= 6);
}

TEST_CASE("Redis away for more than three attempts: nothing is given up") {
    bridged b;
    INFO(b.bridge.end_of_log());
    b.redis.stop();
    b.say(50);
    // The Python bridge gave up here.
    REQUIRE(b.bridge.logs("attempt 3 failed", 60s));
    b.say(50);
    b.redis.start();
    check_all(b.redis, b.bridge, b.talk);
}

}  // namespace
}  // namespace postrider::test
