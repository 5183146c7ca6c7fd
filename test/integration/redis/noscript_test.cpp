// Behind some proxies the script is never where it is called.
#include <doctest/doctest.h>

#include "driven_pusher.hpp"
#include "support/redis_server.hpp"

using namespace postrider::test;
using postrider::support::redis_server;

namespace {

// SCRIPT LOAD is answered well, and loads nothing.
redis_server::settings without_scripts() {
    redis_server::settings wanted;
    wanted.arguments = {"--rename-command", "SCRIPT", "UNUSED", "--rename-command", "MGET", "SCRIPT"};
    return wanted;
}

}  // namespace

TEST_CASE("a script that is unknown time and again is waited for, and said") {
    redis_server server(without_scripts());
    driven_pusher p(server.port(), "writer");
    CHECK_FALSE(p.claims());
    p.leads();
    SUBCASE("to a push") {
        p.push("body");
        REQUIRE(p.until([&] { return p->current().retries >= 3; }));
        CHECK(p->refusals().starts_with("q: NOSCRIPT"));
        CHECK(p.delivered.empty());
        CHECK(p.refused.empty());
        // The breaker counts it as well.
        CHECK(p.until([&] { return p->breaker_now().reason.starts_with("q: NOSCRIPT"); }));
    }
    SUBCASE("to what is saved") {
        p->saves(p.line).note_place(p.place, 1);
        p->saves_changed(p.line);
        REQUIRE(p.until([&] { return p->current().save_error.starts_with("NOSCRIPT"); }));
    }
}
