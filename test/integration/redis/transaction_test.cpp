// Large batches, which go to a list in a transaction once the connection watches the epoch.
#include <doctest/doctest.h>

#include <algorithm>

#include "driven_pusher.hpp"
#include "redis/names.hpp"
#include "support/redis_server.hpp"
#include "support/tcp_gate.hpp"

using namespace postrider;
using namespace postrider::test;
using support::redis_server;

namespace {

using list = std::vector<std::string>;

constexpr int large = 40;

redis_server& server() {
    static redis_server shared;
    shared.command({"FLUSHALL"});
    return shared;
}

// The bodies of the numbers from `first` on.
list bodies(int first, int count) {
    list all;
    for (int i = first; i < first + count; ++i)
        all.push_back("body " + std::to_string(i));
    return all;
}

void push_large(driven_pusher& p, int first) {
    for (int i = first; i < first + large; ++i)
        p.push("body " + std::to_string(i), static_cast<std::uint64_t>(i));
}

// Leads, and has pushed one large batch, so that the next one can be a transaction.
void begin(driven_pusher& p) {
    CHECK_FALSE(p.claims());
    p.place.kind = redis::place::order::in_order;
    p.leads();
    push_large(p, 1);
    REQUIRE(p.until_done());
}

// How often the server was asked to run this command since CONFIG RESETSTAT.
std::string calls(redis_server& s, const std::string& command) {
    const auto stats = s.command({"INFO", "commandstats"}).front();
    const auto name = "cmdstat_" + command + ":calls=";
    const auto at = stats.find(name);
    if (at == std::string::npos) return "0";
    const auto begin = at + name.size();
    return stats.substr(begin, stats.find(',', begin) - begin);
}

}  // namespace

TEST_CASE(
    "a large batch goes in a transaction, a small one and the first of a connection by the script alone") {
    auto& s = server();
    driven_pusher p(s.port(), "a");
    begin(p);
    s.command({"CONFIG", "RESETSTAT"});
    push_large(p, 1 + large);
    REQUIRE(p.until_done());
    push_large(p, 1 + 2 * large);
    REQUIRE(p.until_done());
    CHECK(calls(s, "eval") == "2");
    CHECK(calls(s, "evalsha") == "0");
    p.push("body " + std::to_string(1 + 3 * large));
    REQUIRE(p.until_done());
    CHECK(calls(s, "eval") == "2");
    CHECK(calls(s, "evalsha") == "1");
    CHECK(s.list("q") == bodies(1, 3 * large + 1));
    CHECK(p.delivered == s.list("q"));
    CHECK(p->current().retries == 0);
}

TEST_CASE("a transaction leaves beside its target what the script alone would") {
    auto& s = server();
    driven_pusher p(s.port(), "a");
    begin(p);
    s.command({"CONFIG", "RESETSTAT"});
    for (int i = 0; i < large; ++i) {
        redis::delivery d;
        d.body = "x";
        d.saved_as = "context:" + std::to_string(i);
        d.number = static_cast<std::uint64_t>(100 + i);
        d.seen_in = "seen";
        d.seen = {{i, std::to_string(i)}};
        s.command({"SET", d.saved_as, "open"});
        p->add(p.line, std::move(d));
    }
    REQUIRE(p.until_done());
    REQUIRE(calls(s, "eval") == "1");
    CHECK(s.command({"KEYS", "context:*"}).empty());
    CHECK(s.integer({"ZCARD", "seen"}) == large);
    CHECK(p.saved_place().number == 100 + large - 1);
}

TEST_CASE("a large batch whose answer was lost is not done twice") {
    auto& s = server();
    support::tcp_gate gate(s.port());
    driven_pusher p(gate.port(), "a");
    begin(p);
    gate.cut_after(0, support::tcp_gate::direction::to_client);
    push_large(p, 1 + large);
    REQUIRE(p.until([&] { return s.integer({"LLEN", "q"}) == 2 * large; }));
    CHECK(p.delivered == bodies(1, large));
    REQUIRE(p.until_done());
    push_large(p, 1 + 2 * large);
    REQUIRE(p.until_done());
    CHECK(s.list("q") == bodies(1, 3 * large));
    CHECK(p.delivered == bodies(1, 3 * large));
}

TEST_CASE("a large batch of which half was sent when the connection broke is done once") {
    auto& s = server();
    support::tcp_gate gate(s.port());
    driven_pusher p(gate.port(), "a");
    begin(p);
    gate.cut_after(500, support::tcp_gate::direction::to_server);
    push_large(p, 1 + large);
    REQUIRE(p.until_done());
    CHECK(s.list("q") == bodies(1, 2 * large));
    CHECK(p->current().retries >= 1);
}

TEST_CASE("a large batch of a writer whom another has followed is refused, and nothing of it is done") {
    auto& s = server();
    driven_pusher old(s.port(), "old");
    driven_pusher now(s.port(), "now");
    begin(old);
    CHECK_FALSE(now.claims());
    push_large(old, 1 + large);
    REQUIRE(old.until([&] { return !old.deposed.empty(); }));
    CHECK(old.deposed.front().find("STALE") != std::string::npos);
    CHECK(s.list("q") == bodies(1, large));
    CHECK(old.delivered == bodies(1, large));
}

TEST_CASE("what a lost connection has watched means nothing to the next one") {
    auto& s = server();
    support::tcp_gate gate(s.port());
    driven_pusher old(gate.port(), "old");
    driven_pusher now(s.port(), "now");
    begin(old);
    gate.cut();
    REQUIRE(old.until([&] { return gate.accepted() >= 2; }));
    CHECK_FALSE(now.claims());
    push_large(old, 1 + large);
    REQUIRE(old.until([&] { return !old.deposed.empty(); }));
    CHECK(s.list("q") == bodies(1, large));
    CHECK(old.delivered == bodies(1, large));
}

TEST_CASE("a writer that claims once more goes on with large batches") {
    auto& s = server();
    driven_pusher a(s.port(), "a");
    driven_pusher b(s.port(), "b");
    begin(a);
    CHECK_FALSE(b.claims());
    CHECK_FALSE(a.claims());
    for (int i = 1; i < 4; ++i) {
        push_large(a, 1 + i * large);
        REQUIRE(a.until_done());
    }
    CHECK(s.list("q") == bodies(1, 4 * large));
    CHECK(a.delivered == s.list("q"));
}

TEST_CASE("a large batch that the target's type refuses is refused one by one") {
    auto& s = server();
    driven_pusher p(s.port(), "a");
    begin(p);
    s.command({"DEL", "q"});
    s.command({"SET", "q", "no list"});
    push_large(p, 1 + large);
    REQUIRE(p.until_done());
    CHECK(p.refused == bodies(1 + large, large));
    s.command({"DEL", "q"});
    push_large(p, 1 + 2 * large);
    REQUIRE(p.until_done());
    CHECK(s.list("q") == bodies(1 + 2 * large, large));
}

TEST_CASE("a large batch for which there is no memory waits, and is done once") {
    auto& s = server();
    driven_pusher p(s.port(), "a");
    begin(p);
    s.command({"CONFIG", "SET", "maxmemory", "1"});
    push_large(p, 1 + large);
    REQUIRE(p.until([&] { return p->refusals().starts_with("q: OOM"); }));
    s.command({"CONFIG", "SET", "maxmemory", "0"});
    REQUIRE(p.until_done());
    CHECK(s.list("q") == bodies(1, 2 * large));
    CHECK(p.delivered == s.list("q"));
}

TEST_CASE("a server that has forgotten its scripts takes a large batch whole") {
    auto& s = server();
    driven_pusher p(s.port(), "a");
    begin(p);
    s.command({"SCRIPT", "FLUSH"});
    push_large(p, 1 + large);
    REQUIRE(p.until_done());
    CHECK(s.list("q") == bodies(1, 2 * large));
}

TEST_CASE("who may not use transactions pushes large batches without them, each once") {
    redis_server s;
    SUBCASE("not begin one") {
        s.command({"ACL", "SETUSER", "default", "-multi"});
    }
    SUBCASE("not end one") {
        s.command({"ACL", "SETUSER", "default", "-exec"});
    }
    SUBCASE("neither") {
        s.command({"ACL", "SETUSER", "default", "-@transaction"});
    }
    SUBCASE("not watch") {
        s.command({"ACL", "SETUSER", "default", "-watch"});
    }
    driven_pusher p(s.port(), "a");
    begin(p);
    for (int i = 1; i < 4; ++i) {
        push_large(p, 1 + i * large);
        REQUIRE(p.until_done());
    }
    CHECK(s.list("q") == bodies(1, 4 * large));
    CHECK(p.delivered == s.list("q"));
}

TEST_CASE("who may no longer end a transaction loses and doubles nothing") {
    redis_server s;
    driven_pusher p(s.port(), "a");
    begin(p);
    s.command({"ACL", "SETUSER", "default", "-exec"});
    for (int i = 1; i < 4; ++i) {
        push_large(p, 1 + i * large);
        REQUIRE(p.until_done());
    }
    CHECK(s.list("q") == bodies(1, 4 * large));
    CHECK(p.delivered == s.list("q"));
}
