// The notification queue belongs to everybody who uses the database: it must not fill while Redis is away.
#include <doctest/doctest.h>

#include "long_outage.hpp"

namespace postrider::test {
namespace {

// The largest that Postgres takes are 7,999 bytes: one of these fills a page of the queue.
std::string large(int n) {
    return R"({"n":)" + std::to_string(n) + R"(,"text":")" + std::string(7'900, 'x') + "\"}";
}

TEST_CASE("while Redis is away the notification queue is emptied all the time") {
    long_outage t;
    auto settings = t.settings();
    settings.file +=
        "[[route]]\nname = \"large\"\nchannel = \"large\"\npolicy = \"immediate\"\nto = \"large\"\n";
    running_postrider bridge(settings);
    INFO(bridge.end_of_log());
    REQUIRE(bridge.becomes_ready());
    t.redis.stop();
    // More than the sockets between Postgres and the program could hold for it, some 10 MB.
    for (int sent = 0; sent < 3'000;) {
        std::vector<std::string> burst;
        for (int i = 0; i < 100; ++i)
            burst.push_back(large(sent++));
        notify_together(t.database, "large", burst);
        REQUIRE(support::eventually([&] { return t.queued_pages() < 200; }));
    }
    REQUIRE(t.is_parked_at_least(2'900));
    t.redis.start();
    const auto list = wait_for_list(t.redis, "large", 3'000, 90s);
    REQUIRE(list.size() == 3'000);
    for (int n = 0; n < 3'000; ++n)
        CHECK(list[static_cast<std::size_t>(n)] == large(n));
    CHECK(support::eventually([&] { return t.parked() == 0; }));
    CHECK(t.redis.integer({"LLEN", "large"}) == 3'000);
}

}  // namespace
}  // namespace postrider::test
