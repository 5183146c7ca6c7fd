// What the waiting times promise together, where nobody has set any.
#include "configuration_fixture.hpp"

using namespace postrider;
using namespace postrider::service;
using namespace std::chrono_literals;

TEST_CASE("with the defaults a half-open server is found within 15 s") {
    const auto c = loaded(servers());
    CHECK(c.postgres_heartbeat + c.postgres_heartbeat_timeout <= 15s);
    CHECK(c.redis.ping_interval + c.redis.command_timeout <= 15s);
}

TEST_CASE("with the defaults the waits between attempts begin at 1 s and end at 30 s") {
    const auto c = loaded(servers());
    CHECK(c.redis.backoff_first == 1s);
    CHECK(c.redis.backoff_cap == 30s);
    CHECK(c.postgres_backoff_first == 1s);
    CHECK(c.postgres_backoff_cap == 30s);
}
