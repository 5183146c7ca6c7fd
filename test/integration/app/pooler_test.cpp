#include <doctest/doctest.h>

#include "chat.hpp"
#include "running_postrider.hpp"
#include "servers.hpp"
#include "support/pgbouncer.hpp"

namespace postrider::test {
namespace {

constexpr const char* named = "this looks like a transaction pooler (PgBouncer with pool_mode=transaction";

TEST_CASE("a transaction pooler is named as such, and nothing counts as ready behind it") {
    const support::pgbouncer pooler(shared_postgres().port(), "transaction");
    running_postrider bridge({.postgres_url = pooler.url(), .redis_url = shared_redis().url()});
    INFO(bridge.end_of_log());
    CHECK(bridge.logs(named));
    CHECK(bridge.get("/health/readiness").status == 503);
    CHECK(bridge.get("/health/readiness").body.find("transaction pooler") != std::string::npos);
}

TEST_CASE("check names a transaction pooler, with status 1") {
    const support::pgbouncer pooler(shared_postgres().port(), "transaction");
    running_postrider check({.postgres_url = pooler.url(), .redis_url = shared_redis().url()}, "check");
    CHECK(check.ends() == 1);
    CAPTURE(check.log());
    CHECK(check.log().find(named) != std::string::npos);
    CHECK(check.log().find("FAIL  postgres: ") != std::string::npos);
}

TEST_CASE("a session pooler carries the events") {
    const support::pgbouncer pooler(shared_postgres().port(), "session");
    auto& redis = shared_redis();
    support::sql database(shared_postgres().url());
    running_postrider bridge({.postgres_url = pooler.url(),
                              .redis_url = redis.url(),
                              .environment = {{"GROUPING_DELAY", "100ms"}}});
    INFO(bridge.end_of_log());
    REQUIRE(bridge.becomes_ready());
    chat talk;
    database.notify("bot_events", talk.next("a"));
    CHECK(talk.verdict(wait_for_list(redis, "bot_messages", 1)) == "");
    running_postrider check({.postgres_url = pooler.url(), .redis_url = redis.url()}, "check");
    CHECK(check.ends() == 0);
}

}  // namespace
}  // namespace postrider::test
