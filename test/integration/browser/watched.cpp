#include "watched.hpp"

#include <doctest/doctest.h>

#include "servers.hpp"
#include "support/eventually.hpp"

namespace postrider::test {
namespace {

constexpr const char* routes = R"(
[[route]]
name = "quick"
channel = "chat"
policy = "group"
key = "/k"
window = "300ms"
cooldown = "0s"
to = "groups"
[[route]]
name = "slow"
channel = "slow"
policy = "group"
key = "/k"
window = "1h"
to = "groups"
)";

// Dead letters and parked events stay in it, so each test has its own.
std::string new_database() {
    static int number = 0;
    const auto name = "watched_" + std::to_string(++number);
    support::sql(shared_postgres().url()).run("CREATE DATABASE " + name);
    return shared_postgres().url(name);
}

}  // namespace

support::chromedriver& browser() {
    static support::chromedriver only;
    return only;
}

watched::watched()
    : postgres_url(new_database()),
      database(postgres_url),
      bridge({.postgres_url = postgres_url,
              .redis_url = redis.url(),
              .file = routes,
              .environment = {{"ADMIN_TOKEN", admin_token}}}) {
    REQUIRE_MESSAGE(bridge.becomes_ready(), bridge.end_of_log());
    browser().screen(1440, 900);
    browser().dark(false);
    opens();
    REQUIRE(says("Delivering"));
    browser().errors();
}

void watched::opens() {
    browser().open("http://127.0.0.1:" + std::to_string(bridge.port()) + "/");
}

bool watched::is(const std::string& panel, const std::string& state) {
    return support::eventually(
        [&] {
            return browser().run("return document.getElementById(arguments[0]).dataset.state", {panel}) ==
                   boost::json::value(state);
        },
        60s);
}

}  // namespace postrider::test
