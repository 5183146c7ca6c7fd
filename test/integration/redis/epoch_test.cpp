// One writer at a time, and what stands beside a target of what it has done.
#include <doctest/doctest.h>

#include <algorithm>

#include "driven_pusher.hpp"
#include "redis/names.hpp"
#include "redis/saved_state.hpp"
#include "support/redis_server.hpp"
#include "support/tcp_gate.hpp"

using namespace postrider;
using namespace postrider::test;
using support::redis_server;

namespace {

const redis::target_keys q({event::target_kind::list, "q", 0}, redis::default_bridge, false);

using list = std::vector<std::string>;
using markers = std::vector<event::marked_number>;

redis_server& server() {
    static redis_server shared;
    shared.command({"FLUSHALL"});
    return shared;
}

std::uint64_t epoch_in(redis_server& s) {
    return std::stoull(s.command({"GET", q.epoch()}).at(0));
}

// Without what claims keep of themselves.
list kept_keys(redis_server& s) {
    auto keys = s.command({"KEYS", "*"});
    std::erase_if(keys, [](const auto& k) { return k.find(":renewed:") != std::string::npos; });
    std::sort(keys.begin(), keys.end());
    return keys;
}

}  // namespace

TEST_CASE("the first claim makes an epoch, and the next one of the same writer keeps it") {
    auto& s = server();
    driven_pusher p(s.port(), "a");
    CHECK_FALSE(p.claims());
    const auto epoch = epoch_in(s);
    CHECK(p.claims());
    CHECK(epoch_in(s) == epoch);
}

TEST_CASE("a claim raises the epoch that another has raised, and so back and forth") {
    auto& s = server();
    driven_pusher a(s.port(), "a");
    driven_pusher b(s.port(), "b");
    CHECK_FALSE(a.claims());
    auto last = epoch_in(s);
    for (auto* p : {&b, &a, &b}) {
        CHECK_FALSE(p->claims());
        CHECK(epoch_in(s) > last);
        CHECK(p->claims());
        last = epoch_in(s);
    }
}

TEST_CASE("a claim that arrives behind a later one of its process deposes nobody") {
    auto& s = server();
    support::tcp_gate gate(s.port());
    driven_pusher a(gate.port(), "a");
    // Every byte of this connection is on its way for long.
    gate.delay(2s);
    a.claims_in_vain();
    gate.delay(0s);
    REQUIRE(a.until([&] { return a.client().connected() && a.client().generation() >= 2; }));
    CHECK_FALSE(a.claims());
    a.leads();
    a.push("x");
    REQUIRE(a.until_done());
    REQUIRE(a.until([&] { return gate.connections() == 1; }));
    a.push("y");
    REQUIRE(a.until([&] { return a.delivered.size() == 2 || !a.deposed.empty(); }));
    CHECK(a.deposed.empty());
    CHECK(s.list("q") == list{"x", "y"});
}

TEST_CASE("a claim whose answer was lost is not made twice, and what it has found is still true") {
    auto& s = server();
    support::tcp_gate gate(s.port());
    driven_pusher a(gate.port(), "a");
    driven_pusher b(s.port(), "b");
    CHECK_FALSE(a.claims());
    CHECK_FALSE(b.claims());
    const auto before = epoch_in(s);
    gate.swallow(support::tcp_gate::direction::to_client);
    a.claims_in_vain();
    gate.cut();
    gate.pass();
    REQUIRE(a.until([&] { return a.client().connected() && epoch_in(s) > before; }));
    const auto epoch = epoch_in(s);
    CHECK_FALSE(a.claims());
    CHECK(epoch_in(s) == epoch);
    CHECK(a.claims());
}

TEST_CASE("what a writer has raised itself on a new connection is not taken for another's claim") {
    auto& s = server();
    support::tcp_gate gate(s.port());
    driven_pusher a(gate.port(), "a");
    driven_pusher b(s.port(), "b");
    CHECK_FALSE(a.claims());
    a.leads();
    a.push("x");
    REQUIRE(a.until_done());
    gate.cut();
    REQUIRE(a.until([&] { return a.client().generation() >= 2; }));
    // The next connection's first command is done, and nobody hears of it.
    const auto before = epoch_in(s);
    gate.swallow(support::tcp_gate::direction::to_client);
    a.push("y");
    REQUIRE(a.until([&] { return epoch_in(s) > before; }));
    a->step_down();
    gate.cut();
    gate.pass();
    REQUIRE(a.until([&] { return a.client().connected() && a.client().generation() >= 3; }));
    SUBCASE("by itself") {
        CHECK(a.claims());
        CHECK(a.claims());
    }
    SUBCASE("but another's claim behind that is") {
        CHECK_FALSE(b.claims());
        CHECK_FALSE(a.claims());
        CHECK_FALSE(b.claims());
    }
}

TEST_CASE("bridges of different names lead the same list side by side, and each keeps its own place") {
    auto& s = server();
    driven_pusher a(s.port(), "w", event::target_kind::list, "a");
    driven_pusher b(s.port(), "w", event::target_kind::list, "b");
    for (auto* p : {&a, &b}) {
        CHECK_FALSE(p->claims());
        p->leads();
    }
    for (std::uint64_t n = 1; n <= 10; ++n) {
        a.push("a" + std::to_string(n), n, "k");
        b.push("b" + std::to_string(n), 100 + n, "k");
        REQUIRE(a.until_done());
        REQUIRE(b.until_done());
    }
    CHECK(s.list("q").size() == 20);
    for (auto* p : {&a, &b}) {
        CHECK(p->claims());
        CHECK(p->delivered.size() == 10);
        CHECK(p->deposed.empty());
    }
    using keyed = std::vector<std::pair<std::string, std::uint64_t>>;
    CHECK(a.saved_place().behind == keyed{{"k", 10}});
    CHECK(b.saved_place().behind == keyed{{"k", 110}});
}

TEST_CASE("an epoch far ahead of the clock is raised all the same") {
    auto& s = server();
    s.command({"SET", q.epoch(), "9000000000000000"});
    driven_pusher p(s.port(), "a");
    CHECK_FALSE(p.claims());
    CHECK(epoch_in(s) == 9'000'000'000'000'001U);
}

TEST_CASE(
    "a Redis that has lost the epoch gets it back from the writer who had it, and keeps out the one before") {
    auto& s = server();
    driven_pusher before(s.port(), "before");
    driven_pusher now(s.port(), "now");
    CHECK_FALSE(before.claims());
    CHECK_FALSE(now.claims());
    const auto epoch = epoch_in(s);
    s.command({"FLUSHALL"});
    SUBCASE("with its next claim") {
        CHECK(now.claims());
    }
    SUBCASE("with its next push") {
        now.leads();
        now.push("x");
        REQUIRE(now.until_done());
        CHECK(s.list("q") == list{"x"});
    }
    SUBCASE("with its next save") {
        now.leads();
        now->saves(now.line).save("value", "x", 60s);
        now->saves_changed(now.line);
        REQUIRE(now.until_done());
        CHECK(s.command({"GET", "value"}) == list{"x"});
    }
    CHECK(epoch_in(s) == epoch);
    before.leads();
    before.push("y");
    REQUIRE(before.until([&] { return !before.deposed.empty(); }));
    CHECK(s.command({"LRANGE", "q", "0", "-1"}).size() <= 1);
}

TEST_CASE("a push of an earlier epoch is refused, and nothing of it is done") {
    auto& s = server();
    driven_pusher old(s.port(), "old");
    driven_pusher now(s.port(), "now");
    CHECK_FALSE(old.claims());
    CHECK_FALSE(now.claims());
    s.command({"SET", "context:k", "open"});
    old.leads();
    redis::delivery d;
    d.body = "x";
    d.key = "k";
    d.saved_as = "context:k";
    d.number = 5;
    d.seen_in = "seen";
    d.seen = {{1, "id"}};
    old->add(old.line, std::move(d));
    REQUIRE(old.until([&] { return !old.deposed.empty(); }));
    CHECK(old.deposed.front().find("STALE") != std::string::npos);
    CHECK(old.delivered.empty());
    CHECK(s.command({"GET", "context:k"}) == list{"open"});
    const auto keys = kept_keys(s);
    CHECK(keys == list{"context:k", q.epoch()});
}

TEST_CASE("a save of an earlier epoch is refused, and nothing of it is done") {
    auto& s = server();
    driven_pusher old(s.port(), "old");
    driven_pusher now(s.port(), "now");
    CHECK_FALSE(old.claims());
    CHECK_FALSE(now.claims());
    const auto epoch = epoch_in(s);
    s.command({"SET", "gone", "still there"});
    old.leads();
    auto& saves = old->saves(old.line);
    saves.save("value", "x", 60s);
    saves.drop("gone", true);
    saves.note_seen("seen", 1, "id");
    saves.note_place(old.place, 7);
    old->saves_changed(old.line);
    REQUIRE(old.until([&] { return !old.deposed.empty(); }));
    const auto keys = kept_keys(s);
    CHECK(keys == list{"gone", q.epoch()});
    CHECK(epoch_in(s) == epoch);
}

TEST_CASE("a batch whose answer was lost is not done twice") {
    auto& s = server();
    support::tcp_gate gate(s.port());
    driven_pusher p(gate.port(), "a");
    CHECK_FALSE(p.claims());
    p.leads();
    p.push("warm");
    REQUIRE(p.until_done());
    gate.cut_after(0, support::tcp_gate::direction::to_client);
    p.push("once");
    REQUIRE(p.until([&] { return s.list("q").size() == 2; }));
    CHECK(p.delivered == list{"warm"});
    REQUIRE(p.until_done());
    p.push("later");
    REQUIRE(p.until_done());
    CHECK(s.list("q") == list{"warm", "once", "later"});
    CHECK(p.delivered == list{"warm", "once", "later"});
    CHECK(p->current().retries >= 1);
}

TEST_CASE("a place says up to where all is done, and what is done behind that") {
    auto& s = server();
    driven_pusher p(s.port(), "a");
    CHECK_FALSE(p.claims());
    p.leads();
    p.place.marker = "m";
    p.place.base = 10;
    SUBCASE("in order: the last one stands for all before it") {
        p.place.kind = redis::place::order::in_order;
        p.push("x", 11, "k");
        p.push("y", 12, "l");
        REQUIRE(p.until_done());
        const auto saved = p.saved_place();
        CHECK(saved.markers == markers{{"m", 10}});
        CHECK(saved.number == 12);
        CHECK(saved.behind.empty());
    }
    SUBCASE("by key: the last of each, until a save passes it") {
        p.push("x", 11, "k");
        p.push("y", 12, "l");
        p.push("z", 13, "k");
        REQUIRE(p.until_done());
        using behind = std::vector<std::pair<std::string, std::uint64_t>>;
        CHECK(p.saved_place().number == 0);
        CHECK(p.saved_place().behind == behind{{"l", 12}, {"k", 13}});
        p->saves(p.line).note_place(p.place, 12);
        p->saves_changed(p.line);
        REQUIRE(p.until_done());
        CHECK(p.saved_place().number == 12);
        CHECK(p.saved_place().behind == behind{{"k", 13}});
    }
    SUBCASE("single: each for itself") {
        p.place.kind = redis::place::order::single;
        p.push("x", 13, "k");
        p.push("y", 11, "k");
        REQUIRE(p.until_done());
        using behind = std::vector<std::pair<std::string, std::uint64_t>>;
        CHECK(p.saved_place().number == 0);
        CHECK(p.saved_place().behind == behind{{"11", 11}, {"13", 13}});
    }
    SUBCASE("a save that comes late does not take a number back, and a marker alone takes none") {
        p.place.kind = redis::place::order::in_order;
        p.push("x", 12, "k");
        REQUIRE(p.until_done());
        p->saves(p.line).note_place(p.place, 11);
        p->saves_changed(p.line);
        REQUIRE(p.until_done());
        CHECK(p.saved_place().number == 12);
        p.place.marker = "n";
        p.place.base = 12;
        p->saves(p.line).note_place(p.place, std::nullopt);
        p->saves_changed(p.line);
        REQUIRE(p.until_done());
        CHECK(p.saved_place().markers == markers{{"n", 12}});
        CHECK(p.saved_place().number == 12);
    }
    SUBCASE("by the markers of a save, and the one that a later push tells") {
        p.place.markers = "l 8 m 10";
        p->saves(p.line).note_place(p.place, std::nullopt);
        p->saves_changed(p.line);
        REQUIRE(p.until_done());
        CHECK(p.saved_place().markers == markers{{"l", 8}, {"m", 10}});
        p.place.marker = "n";
        p.place.base = 12;
        p.push("x", 13, "k");
        REQUIRE(p.until_done());
        CHECK(p.saved_place().markers == markers{{"l", 8}, {"m", 10}, {"n", 12}});
    }
}
