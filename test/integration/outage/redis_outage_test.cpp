#include <doctest/doctest.h>

#include "chat.hpp"
#include "running_postrider.hpp"
#include "servers.hpp"
#include "talking.hpp"

namespace postrider::test {
namespace {

TEST_CASE(
    "Redis away for 3 s five times in the middle of 1,000 messages: none lost, none twice, all in order") {
    support::redis_server redis;
    support::sql database(shared_postgres().url());
    running_postrider bridge({.postgres_url = shared_postgres().url(),
                              .redis_url = redis.url(),
                              .file = both_ways("150ms", "100ms", R"(
[redis]
command_timeout = "2s"
)"),
                              .reconnects_quickly = true});
    INFO(bridge.end_of_log());
    REQUIRE(bridge.becomes_ready());

    chat talk;
    for (int outage = 1; outage <= 5; ++outage) {
        std::vector<std::string> burst;
        for (int i = 0; i < 60; ++i)
            burst.push_back(next_message(talk));
        notify_together(database, "chat", burst);
        // By turns an orderly stop and a kill, which takes replies to pushes along.
        if (outage % 2 == 1) {
            redis.stop();
        } else {
            redis.kill();
        }
        const auto back = std::chrono::steady_clock::now() + 3s;
        keep_talking(database, talk, [&] { return std::chrono::steady_clock::now() >= back; });
        redis.start();
        keep_talking(database, talk, [&] { return bridge.is_ready(); });
    }
    keep_talking(database, talk, [&] { return talk.total() >= 1000; });

    const auto groups = wait_for_messages(redis, "groups", talk.total());
    const auto singles = wait_for_list(redis, "singles", talk.total());
    CHECK(talk.verdict(groups) == "");
    CHECK(talk.verdict(singles) == "");
    CHECK(groups.size() < talk.total());
    CHECK(bridge.becomes_ready());
    const std::string stats = bridge.get("/redis/stats").body;
    CAPTURE(stats);
    const std::string what = R"("reconnects":)";
    const auto at = stats.find(what);
    REQUIRE(at != std::string::npos);
    // A busy machine may lose one more.
    CHECK(std::stoul(stats.substr(at + what.size())) >= 5);
}

}  // namespace
}  // namespace postrider::test
