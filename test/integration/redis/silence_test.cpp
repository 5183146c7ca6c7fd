#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "driven_client.hpp"
#include "support/redis_server.hpp"
#include "support/tcp_gate.hpp"

using namespace postrider;
using namespace postrider::test;
using support::redis_server;
using support::tcp_gate;

namespace {

using answer_slot = std::optional<core::result<std::vector<redis::reply>>>;

struct gated {
    redis_server server;
    tcp_gate gate{server.port()};

    // Short deadlines; pings far apart, so that a test's bytes are its own.
    redis::options options() const {
        auto o = quick(gate.port());
        o.command_timeout = 1s;
        o.ping_interval = 1h;
        return o;
    }
};

void wait_for_first_ping(driven_client& client) {
    REQUIRE(client.until_connected());
    REQUIRE(client.until([&] { return !client->recent_pings().empty(); }));
}

void check_lost(driven_client& client, answer_slot& answer, core::errc code, std::string_view words) {
    REQUIRE(client.until([&] { return answer.has_value(); }));
    REQUIRE(answer->has_error());
    const std::string message = answer->error().message;
    CAPTURE(message);
    CHECK(answer->error().code == code);
    CHECK(message.find(words) != std::string::npos);
    CHECK_FALSE(client->connected());
}

}  // namespace

TEST_CASE("a half-open connection is found by the command deadline, and left") {
    gated at;
    driven_client client(at.options());
    wait_for_first_ping(client);
    at.gate.stall();
    const auto sent = std::chrono::steady_clock::now();
    answer_slot answer;
    client.start(command({"PING"}), answer);
    check_lost(client, answer, core::errc::timeout, "no reply within 1 s");
    CHECK(std::chrono::steady_clock::now() - sent >= 1s);
    CHECK(client.until([&] { return client.log().holds("connection lost: no reply within 1 s"); }));
    at.gate.pass();
    CHECK(client.until_connected());
    CHECK(client.ask({"PING"}).text == "PONG");
}

TEST_CASE("a server that stands still is found the same way") {
    gated at;
    driven_client client(at.options());
    wait_for_first_ping(client);
    at.server.pause();
    answer_slot answer;
    client.start(command({"PING"}), answer);
    check_lost(client, answer, core::errc::timeout, "no reply");
    at.server.resume();
    CHECK(client.until_connected());
}

TEST_CASE("an idle half-open connection is found by the ping") {
    gated at;
    auto o = at.options();
    o.ping_interval = 50ms;
    driven_client client(o);
    wait_for_first_ping(client);
    at.gate.stall();
    REQUIRE(client.until([&] { return !client->connected(); }));
    CHECK(client.until([&] { return client.log().holds("connection lost: no reply within 1 s"); }));
}

TEST_CASE("replies that are swallowed fail every command under way, in whatever order these came") {
    gated at;
    driven_client client(at.options());
    wait_for_first_ping(client);
    at.gate.swallow(tcp_gate::direction::to_client);
    std::vector<answer_slot> answers(50);
    for (auto& answer : answers)
        client.start(command({"RPUSH", "list", "x"}), answer);
    for (auto& answer : answers)
        check_lost(client, answer, core::errc::timeout, "no reply");
    // They were done all the same: only the server's own memory makes sending them again safe.
    CHECK(at.server.list("list").size() == 50);
}

TEST_CASE("a connection cut anywhere within the replies loses the later commands alone") {
    gated at;
    auto o = at.options();
    o.command_timeout = 10s;
    driven_client client(o);
    wait_for_first_ping(client);
    // Two replies of 11 bytes each.
    for (std::size_t at_byte = 0; at_byte < 22; ++at_byte) {
        CAPTURE(at_byte);
        REQUIRE(client.until([&] { return client->connected(); }));
        const auto generation = client->generation();
        REQUIRE(client.until([&] { return client->recent_pings().size() >= generation; }));
        at.gate.cut_after(at_byte, tcp_gate::direction::to_client);
        answer_slot first;
        answer_slot second;
        client.start(command({"ECHO", "12345"}), first);
        client.start(command({"ECHO", "67890"}), second);
        REQUIRE(client.until([&] { return first.has_value() && second.has_value(); }));
        CHECK(first->has_value() == (at_byte >= 11));
        CHECK(second->has_error());
        CHECK(second->error().code == core::errc::connection_lost);
        REQUIRE(client.until([&] { return client->generation() > generation; }));
    }
}

TEST_CASE("a reset connection is named as such") {
    gated at;
    driven_client client(at.options());
    wait_for_first_ping(client);
    at.gate.cut();
    REQUIRE(client.until([&] { return client->generation() == 2; }));
    CHECK(client.log().holds("connection lost: reset by the server"));
}

TEST_CASE("slow replies within the deadline are no loss, however many wait behind them") {
    gated at;
    auto o = at.options();
    o.command_timeout = 5s;
    driven_client client(o);
    wait_for_first_ping(client);
    at.gate.delay(100ms);
    std::vector<answer_slot> answers(200);
    for (auto& answer : answers)
        client.start(command({"PING"}), answer);
    REQUIRE(client.until([&] {
        return std::all_of(answers.begin(), answers.end(), [](const auto& a) { return a.has_value(); });
    }));
    for (const auto& answer : answers)
        CHECK(answer->has_value());
    CHECK(client->generation() == 1);
}

TEST_CASE("a server that accepts and says nothing fails the attempt by the connect deadline") {
    gated at;
    at.gate.stall();
    auto o = at.options();
    o.connect_timeout = 200ms;
    o.command_timeout = 1h;
    driven_client client(o);
    REQUIRE(client.until([&] { return client->current().attempts > 0; }));
    CAPTURE(client->current().last_error);
    CHECK(client->current().last_error.starts_with("connected, but no answer to the first commands"));
    at.gate.pass();
    CHECK(client.until_connected());
}

TEST_CASE("pings are measured, their round trips kept, oldest first, at most 1,024") {
    gated at;
    auto o = at.options();
    o.command_timeout = 10s;
    o.ping_interval = 1ms;
    driven_client client(o);
    REQUIRE(client.until([&] { return client->recent_pings().size() == 1'024; }, 60s));
    at.gate.delay(20ms);
    REQUIRE(client.until([&] { return client->current().last_ping >= 40ms; }));
    CHECK(client->recent_pings().size() == 1'024);
    CHECK(client->recent_pings().back() == client->current().last_ping);
    CHECK(client->recent_pings().front() > 0us);
}
