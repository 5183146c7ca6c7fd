// What cancels is put aside like everything else, and comes back beside what it is meant for.
#include <doctest/doctest.h>

#include "long_outage.hpp"
#include "replicas.hpp"

namespace postrider::test {
namespace {

TEST_CASE("what a leader has put aside and its standby has heard cancels what came before it, and no more") {
    long_outage t;
    auto settings = t.settings("65536");
    settings.file += reminders_route;
    replicas two(settings);
    INFO(two.second.end_of_log());
    t.redis.stop();
    t.say(1'500);
    REQUIRE(t.is_parked_at_least(1));
    t.database.notify("answers", R"({"to":"a"})");
    t.database.notify("reminders", R"({"id":"a"})");
    t.database.notify("reminders", R"({"id":"b"})");
    t.database.notify("answers", R"({"to":"b"})");
    const auto answers_parked = [&] {
        return t.database.rows("SELECT FROM postrider.parked WHERE channel = 'answers'").size();
    };
    REQUIRE(support::eventually([&] { return answers_parked() == 2; }, 60s));
    two.first.kill();
    t.redis.start();
    t.check_everything_once();
    CHECK(two.second.answers("/stats", R"("cancelled":1)"));
    const auto names = t.redis.command({"KEYS", "postrider:delay:*"});
    REQUIRE(names.size() == 1);
    CHECK(t.redis.command({"GET", names.front()}).front().find(R"("key":"a")") != std::string::npos);
}

}  // namespace
}  // namespace postrider::test
