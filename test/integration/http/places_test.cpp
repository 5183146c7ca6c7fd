// Who makes room when as many connections are open as allowed.
#include <doctest/doctest.h>

#include <array>
#include <vector>

#include "client.hpp"
#include "running_server.hpp"
#include "support/eventually.hpp"
#include "support/log_capture.hpp"

using namespace postrider;
using namespace postrider::test;
using postrider::support::eventually;

namespace {

constexpr std::string_view at_gate = "GET /gate HTTP/1.1\r\nHost: a\r\n\r\n";
constexpr std::string_view ask_for_big = "GET /big HTTP/1.1\r\nHost: a\r\n\r\n";
constexpr std::string_view half_a_request = "GET /echo HTTP/1.1\r\nX: ";
constexpr int some_room = 256 * 1024;  // of a client, so that the server cannot write all at once

http::settings places(std::size_t number) {
    auto s = patient();
    s.max_connections = number;
    return s;
}

// Ways to make a server wait.
client slow_client(std::uint16_t port, std::size_t number) {
    constexpr std::array ways{
        std::string_view(""), half_a_request, ask_for_big,
        std::string_view("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n123")};
    client c(port, some_room);
    c.send(ways.at(number % ways.size()));
    return c;
}

void wait_at_gate(running_server& server, std::size_t count) {
    REQUIRE(eventually([&] { return server.at_gate() == count; }));
}

}  // namespace

TEST_CASE("more slow clients than places, of every kind, keep no probe out") {
    const log_capture log;
    running_server server(places(50));
    std::vector<client> slow;
    for (std::size_t i = 0; i < 200; ++i) {
        slow.push_back(slow_client(server.port(), i));
        if (i % 10 == 0) CHECK(client(server.port()).get("/echo").status == 200);
    }
    CHECK(eventually([&] { return server.connections() <= 50; }));
    // Said when it begins, and not for each.
    std::size_t said = 0;
    server.on_loop([&] { said = log.count("50 connections are open, as many as allowed"); });
    CHECK(said > 0);
    CHECK(said < 10);
}

TEST_CASE("beyond the limit the client that has done nothing for longest is closed, the others are served") {
    running_server server(places(3));
    client first(server.port()), second(server.port()), third(server.port());
    for (auto* c : {&second, &first, &third})
        CHECK(c->get("/echo").status == 200);
    client fourth(server.port());
    CHECK(fourth.get("/echo").status == 200);
    CHECK(second.closed());
    for (auto* c : {&third, &first})
        CHECK(c->get("/echo").status == 200);
    client fifth(server.port());
    CHECK(fifth.get("/echo").status == 200);
    CHECK(fourth.closed());
    CHECK(first.get("/echo").status == 200);
    CHECK(third.get("/echo").status == 200);
}

TEST_CASE("a request that comes byte by byte does not keep its place") {
    running_server server(places(2));
    client slow(server.port());
    REQUIRE(slow.send(half_a_request));
    REQUIRE(eventually([&] { return server.connections() == 1; }));
    client kept(server.port());
    CHECK(kept.get("/echo").status == 200);
    REQUIRE(slow.send("more"));
    client probe(server.port());
    CHECK(probe.get("/echo").status == 200);
    CHECK(slow.closed());
    CHECK(kept.get("/echo").status == 200);
}

TEST_CASE("who waits for its answer, takes it or listens to a stream is not closed before slow clients") {
    running_server server(places(3));
    client listening(server.port()), busy(server.port()), taking(server.port(), some_room);
    REQUIRE(listening.send("GET /stream HTTP/1.1\r\nHost: a\r\n\r\n"));
    REQUIRE(listening.receive_until("1\n") != "");
    REQUIRE(busy.send(at_gate));
    wait_at_gate(server, 1);
    REQUIRE(taking.send(ask_for_big));
    REQUIRE(taking.receive_until("\r\n\r\n") != "");
    client slow(server.port());
    REQUIRE(slow.send(half_a_request));
    REQUIRE(eventually([&] { return server.connections() == 4; }));
    // More than the system may hold of it, so that the server has written again since; and so is the rest.
    REQUIRE(taking.receive_until(std::string(std::size_t{10} << 20, 'x')) != "");

    client probe(server.port());
    CHECK(probe.get("/echo").status == 200);
    CHECK(slow.closed());
    CHECK(taking.receive_until(std::string(std::size_t{6} << 20, 'x')) != "");
    server.open_gate();
    CHECK(busy.receive().value_or(answer{}).body == "through");
    CHECK(listening.receive_until("\n") != "");
}

TEST_CASE("a client that does not take its answer makes room before one that waits for its own") {
    running_server server(places(2));
    client busy(server.port());
    REQUIRE(busy.send(at_gate));
    wait_at_gate(server, 1);
    client deaf(server.port(), some_room);
    REQUIRE(deaf.send(ask_for_big));
    REQUIRE(deaf.receive_until("\r\n\r\n") != "");
    client probe(server.port());
    CHECK(probe.get("/echo").status == 200);
    CHECK_FALSE(deaf.receive_until(std::string(std::size_t{16} << 20, 'x')) != "");
    server.open_gate();
    CHECK(busy.receive().value_or(answer{}).body == "through");
}

TEST_CASE("where all wait for their answers, the one that waits for longest makes room") {
    running_server server(places(2));
    client second(server.port());
    CHECK(second.get("/echo").status == 200);
    client first(server.port());
    REQUIRE(first.send(at_gate));
    wait_at_gate(server, 1);
    REQUIRE(second.send(at_gate));
    wait_at_gate(server, 2);
    client probe(server.port());
    CHECK(probe.get("/echo").status == 200);
    CHECK(first.closed());
    server.open_gate();
    CHECK(second.receive().value_or(answer{}).body == "through");
}
