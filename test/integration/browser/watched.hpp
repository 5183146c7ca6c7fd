#pragma once

#include <string>
#include <utility>
#include <vector>

#include "running_postrider.hpp"
#include "support/chromedriver.hpp"
#include "support/redis_server.hpp"
#include "support/sql.hpp"
#include "support/tcp_gate.hpp"

namespace postrider::test {

inline constexpr const char* admin_token = "s3cret-token";

// One browser for all tests, started by the first one.
support::chromedriver& browser();

// Postrider with a database and a Redis of its own, and its dashboard open in the browser, in light colours
// on a wide screen. A gate stands between it and Postgres. Routes: "quick" groups the channel "chat" for 300
// ms to the list "groups", "slow" the channel "slow" for an hour.
class watched {
 public:
    using variables = std::vector<std::pair<std::string, std::string>>;

    explicit watched(variables environment = {});

    void opens();  // the dashboard, anew
    void opens(const running_postrider& other);
    // Waits until the headline holds the words.
    bool says(const std::string& words) { return browser().shows("#headline-words", words); }
    // Waits until the panel with this id has the state: "ok", "warn" or "bad".
    bool is(const std::string& panel, const std::string& state);

    support::redis_server redis;
    std::string database_name;
    support::sql database;
    support::tcp_gate to_postgres;
    postrider_settings settings;  // of the bridge
    running_postrider bridge;
};

}  // namespace postrider::test
