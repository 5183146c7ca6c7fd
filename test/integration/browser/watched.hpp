#pragma once

#include <string>

#include "running_postrider.hpp"
#include "support/chromedriver.hpp"
#include "support/redis_server.hpp"
#include "support/sql.hpp"

namespace postrider::test {

inline constexpr const char* admin_token = "s3cret-token";

// One browser for all tests, started by the first one.
support::chromedriver& browser();

// Postrider with a database and a Redis of its own, and its dashboard open in the browser, in light colours
// on a wide screen. Routes: "quick" groups the channel "chat" for 300 ms to the list "groups", "slow" the
// channel "slow" for an hour.
class watched {
 public:
    watched();

    void opens();  // the dashboard, anew
    // Waits until the headline holds the words.
    bool says(const std::string& words) { return browser().shows("#headline-words", words); }
    // Waits until the panel with this id has the state: "ok", "warn" or "bad".
    bool is(const std::string& panel, const std::string& state);

    support::redis_server redis;
    std::string postgres_url;
    support::sql database;
    running_postrider bridge;
};

}  // namespace postrider::test
