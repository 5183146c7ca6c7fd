// What a leader that stops does before another can lead, and what only after it.
#include <doctest/doctest.h>

#include <csignal>

#include "running_postrider.hpp"
#include "servers.hpp"
#include "support/eventually.hpp"
#include "talking.hpp"

namespace postrider::test {
namespace {

// The whole second that a stop gives its HTTP clients lies behind the 2 s within which a standby leads.
TEST_CASE("a leader that stops gives the lock up before it waits for its HTTP clients") {
    auto& redis = shared_redis();
    support::sql database(shared_postgres().url());
    const auto is_free = [&] {
        return database.rows("SELECT 1 FROM pg_locks WHERE locktype = 'advisory'").empty();
    };
    const auto gives_up_in_time = [&] {
        running_postrider leader({.postgres_url = shared_postgres().url(),
                                  .redis_url = redis.url(),
                                  .file = both_ways("10m", "0s")});
        INFO(leader.end_of_log());
        REQUIRE(leader.becomes("leader"));
        const raw_connection slow(leader.port(), "GET /health HT");
        // Who asks later is answered when that has been read.
        REQUIRE(leader.is("leader"));
        leader.signal(SIGTERM);
        REQUIRE(support::eventually(is_free));
        const bool still_waits = !slow.has_ended();
        CHECK(leader.ends() == 0);
        return still_waits;
    };
    REQUIRE(support::eventually(is_free));
    // Who stands still for that second sees nothing.
    bool seen = false;
    for (int i = 0; i < 10 && !seen; ++i)
        seen = gives_up_in_time();
    CHECK(seen);
}

}  // namespace
}  // namespace postrider::test
