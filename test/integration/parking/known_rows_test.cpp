#include "long_outage.hpp"

namespace postrider::test {
namespace {

TEST_CASE("rows whose events are all known to be done go at a start, also where nothing else comes") {
    long_outage t;
    running_postrider bridge(t.settings());
    INFO(bridge.end_of_log());
    REQUIRE(bridge.becomes_ready());
    t.redis.stop();
    t.say(3'000);
    REQUIRE(t.is_parked_at_least(500));
    t.database.run(
        "DROP TABLE IF EXISTS known_rows; CREATE TABLE known_rows AS SELECT * FROM postrider.parked");
    t.redis.start();
    t.check_everything_once();
    // As where a kill comes before they are deleted.
    bridge.kill();
    t.database.run(
        "INSERT INTO postrider.parked OVERRIDING SYSTEM VALUE SELECT * FROM known_rows; DROP TABLE "
        "known_rows");
    bridge.start();
    REQUIRE(bridge.becomes_ready());
    CHECK(support::eventually([&] { return t.parked() == 0; }, 30s));
    CHECK(bridge.answers("/stats", R"("parking":false)"));
    t.check_everything_once();
}

}  // namespace
}  // namespace postrider::test
