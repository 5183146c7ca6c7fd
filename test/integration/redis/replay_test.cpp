// Dead letters that are pushed again.
#include "redis/replay.hpp"

#include <doctest/doctest.h>

#include "driven_client.hpp"
#include "support/redis_server.hpp"
#include "support/tcp_gate.hpp"

using namespace postrider;
using namespace postrider::test;
using event::target_kind;

namespace {

event::dead_letter letter(target_kind kind, std::string token = "t") {
    event::dead_letter l;
    l.kind = event::dead_letter::origin::push;
    l.token = std::move(token);
    l.payload = "body";
    l.target = {.kind = kind, .name = "out", .max_length = 0};
    return l;
}

core::result<void> again(driven_client& c, event::dead_letter l, std::vector<std::string> fields = {}) {
    std::optional<core::result<void>> answer;
    asio::co_spawn(c.loop(), redis::push_again(*c, std::move(l), std::move(fields)),
                   [&](const std::exception_ptr&, core::result<void> r) { answer.emplace(std::move(r)); });
    if (!c.until([&] { return answer.has_value(); }, 60s)) std::abort();
    return std::move(*answer);
}

}  // namespace

TEST_CASE("a letter for a stream takes its other fields along, and its ids are remembered behind them") {
    support::redis_server server;
    driven_client c(quick(server.port()));
    REQUIRE(c.until_connected());
    auto l = letter(target_kind::stream);
    l.seen = {{7, "id"}};
    l.seen_in = "seen";
    REQUIRE(again(c, l, {"who", "me", "n", "1"}).has_value());
    l.token = "u";
    l.target.max_length = 1'000;
    REQUIRE(again(c, l, {"who", "you"}).has_value());
    auto entries = server.command({"XRANGE", "out", "-", "+"});
    REQUIRE(entries.size() == 12);
    entries.erase(entries.begin() + 7);
    entries.erase(entries.begin());
    CHECK(entries ==
          std::vector<std::string>{"data", "body", "who", "me", "n", "1", "data", "body", "who", "you"});
    CHECK(server.command({"ZRANGE", "seen", "0", "-1"}) == std::vector<std::string>{"id"});
}

TEST_CASE("a letter is pushed once, however often it is asked for") {
    support::redis_server server;
    driven_client c(quick(server.port()));
    REQUIRE(c.until_connected());
    auto l = letter(target_kind::list);
    l.seen = {{5, "id-1"}, {7, "id-2"}};
    l.seen_in = "postrider:{out}:seen:r";
    CHECK(again(c, l).has_value());
    CHECK(again(c, l).has_value());
    CHECK(server.list("out") == std::vector<std::string>{"body"});
    CHECK(server.command({"ZRANGE", l.seen_in, "0", "-1", "WITHSCORES"}) ==
          std::vector<std::string>{"id-1", "5", "id-2", "7"});
    CHECK(again(c, letter(target_kind::list, "u")).has_value());
    CHECK(server.list("out").size() == 2);
    CHECK(server.integer({"PTTL", "postrider:{out}:ledger:replay:t"}) > 0);
}

TEST_CASE("a letter whose push was done and whose answer is lost is pushed once, asked for again") {
    support::redis_server server;
    support::tcp_gate gate(server.port());
    driven_client c(quick(gate.port()));
    REQUIRE(c.until_connected());
    const auto pushed = [&](target_kind kind) {
        return server.integer({kind == target_kind::list ? "LLEN" : "XLEN", "out"});
    };
    for (const auto kind : {target_kind::list, target_kind::stream}) {
        server.command({"FLUSHALL"});
        gate.swallow(support::tcp_gate::direction::to_client);
        std::optional<core::result<void>> answer;
        asio::co_spawn(c.loop(), redis::push_again(*c, letter(kind), {}),
                       [&](const std::exception_ptr&, core::result<void> r) { answer = std::move(r); });
        REQUIRE(c.until([&] { return pushed(kind) == 1; }));
        CHECK_FALSE(answer.has_value());
        gate.cut();
        gate.pass();
        REQUIRE(c.until([&] { return answer.has_value(); }));
        REQUIRE(answer->has_error());
        CHECK(answer->error().code == core::errc::connection_lost);
        REQUIRE(c.until_connected());
        CHECK(again(c, letter(kind)).has_value());
        CHECK(pushed(kind) == 1);
    }
}

TEST_CASE("streams and channels are replayed too, and a refusal leaves no trace") {
    support::redis_server server;
    driven_client c(quick(server.port()));
    REQUIRE(c.until_connected());
    CHECK(again(c, letter(target_kind::stream)).has_value());
    CHECK(again(c, letter(target_kind::stream)).has_value());
    CHECK(server.integer({"XLEN", "out"}) == 1);
    CHECK(again(c, letter(target_kind::pubsub, "p")).has_value());
    const auto refused = again(c, letter(target_kind::list, "l"));
    REQUIRE(refused.has_error());
    CHECK(refused.error().code == core::errc::server_error);
    CHECK(refused.error().message.starts_with("WRONGTYPE"));
    server.command({"DEL", "out"});
    CHECK(again(c, letter(target_kind::list, "l")).has_value());
    CHECK(server.list("out").size() == 1);
}
