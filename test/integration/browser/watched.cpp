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
    return name;
}

watched::variables with_token(watched::variables environment) {
    environment.emplace_back("ADMIN_TOKEN", admin_token);
    return environment;
}

}  // namespace

bool browser_is_there() {
    const bool is_there = support::chromedriver::is_installed();
    if (!is_there) MESSAGE("left out: no chromium (Debian's packages chromium and chromium-driver)");
    return is_there;
}

support::chromedriver& browser() {
    static support::chromedriver only;
    return only;
}

watched::watched(variables environment)
    : database_name(new_database()),
      database(shared_postgres().url(database_name)),
      to_postgres(shared_postgres().port()),
      settings({.postgres_url = postgres_at(to_postgres.port(), database_name),
                .redis_url = redis.url(),
                .file = routes,
                .environment = with_token(std::move(environment)),
                .reconnects_quickly = true}),
      bridge(settings) {
    REQUIRE_MESSAGE(bridge.becomes_ready(), bridge.end_of_log());
    browser().screen(1440, 900);
    browser().dark(false);
    opens();
    REQUIRE(says("Delivering"));
    browser().errors();
}

void watched::opens() {
    opens(bridge);
}

void watched::opens(const running_postrider& other) {
    browser().open("http://127.0.0.1:" + std::to_string(other.port()) + "/");
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
