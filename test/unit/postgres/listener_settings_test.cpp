#include <doctest/doctest.h>

#include "postgres/listener.hpp"

// Of the 2 s within which a standby leads after a clean stop this is the one part that is waited for; the
// rest are answers of Postgres and Redis, and a stop that waits for nobody else (failover/leader_stop_test).
TEST_CASE("by default a standby asks for the lock twice a second") {
    const postrider::postgres::listener_settings settings;
    CHECK(settings.stand_interval <= postrider::core::milliseconds(500));
}
