// Streams: answers that go on for as long as the client listens.
#include <doctest/doctest.h>

#include <thread>

#include "client.hpp"
#include "running_server.hpp"
#include "support/eventually.hpp"

using namespace postrider;
using namespace postrider::test;
using postrider::support::eventually;
using namespace std::chrono_literals;

namespace {

constexpr std::string_view ask = "GET /stream HTTP/1.1\r\nHost: a\r\n\r\n";
constexpr std::string_view ask_for_much = "GET /stream?1000000 HTTP/1.1\r\nHost: a\r\n\r\n";
constexpr int little_room = 4'096;  // of the client, so that the server soon has to wait

client listener(running_server& server) {
    client c(server.port());
    REQUIRE(c.send(ask));
    REQUIRE(c.receive()->status == 200);
    return c;
}

// 0 when the server closed.
int next_number(client& c) {
    const auto line = c.receive_until("\n");
    return line.empty() ? 0 : std::stoi(line);
}

}  // namespace

TEST_CASE("a stream names no length and goes on with ever newer texts") {
    running_server server;
    client c(server.port());
    REQUIRE(c.send(ask));
    const auto head = c.receive();
    REQUIRE(head);
    CHECK(head->status == 200);
    CHECK(head->has("\r\nContent-Type: text/event-stream\r\n"));
    CHECK(head->has("\r\nCache-Control: no-store\r\n"));
    CHECK(head->has("\r\nConnection: close\r\n"));
    CHECK_FALSE(head->has("Content-Length"));
    int before = 0;
    for (int i = 0; i < 20; ++i) {
        const int n = next_number(c);
        CHECK(n > before);
        before = n;
    }
}

TEST_CASE("HEAD of a stream is its head alone, and takes no place") {
    auto s = patient();
    s.max_streams = 0;
    running_server server(s);
    client c(server.port());
    REQUIRE(c.send("HEAD /stream HTTP/1.1\r\nHost: a\r\n\r\n"));
    const auto head = c.receive(true);
    REQUIRE(head);
    CHECK(head->status == 200);
    CHECK(head->has("\r\nContent-Type: text/event-stream\r\n"));
    CHECK(c.get("/echo").status == 200);
}

TEST_CASE("streams beyond the bound are told to come later; a place that is free again is given away") {
    auto s = patient();
    s.max_streams = 2;
    running_server server(s);
    client first = listener(server);
    {
        client second = listener(server);
        client third(server.port());
        const auto refused = third.get("/stream");
        REQUIRE(refused.status == 503);
        CHECK(refused.has("\r\nRetry-After: 10\r\n"));
        CHECK(refused.has("\r\nContent-Type: application/json\r\n"));
        CHECK(refused.body == R"({"error":"too many streams are open; try again later"})");
        // Its connection is as good as before.
        CHECK(third.get("/echo").status == 200);
        CHECK(server.streams() == 2);
    }
    REQUIRE(eventually([&] { return server.streams() == 1; }));
    client fourth = listener(server);
    CHECK(next_number(fourth) > 0);
    CHECK(next_number(first) > 0);
}

TEST_CASE("streams leave the ordinary connections their places") {
    auto s = patient();
    s.max_connections = 1;
    s.max_streams = 3;
    running_server server(s);
    std::vector<client> all;
    for (std::size_t i = 0; i < 3; ++i) {
        all.push_back(listener(server));
        REQUIRE(server.streams() == i + 1);
    }
    client probe(server.port());
    CHECK(probe.get("/echo").status == 200);
    // And they are no way around the bound of these.
    client second(server.port());
    CHECK(second.get("/echo").status == 200);
    CHECK(probe.closed());
    for (auto& c : all)
        CHECK(next_number(c) > 0);
}

TEST_CASE("a reader that lags gets the newest text and never what was in between") {
    running_server server;
    client slow(server.port(), little_room);
    REQUIRE(slow.send(ask_for_much));
    REQUIRE(slow.receive()->status == 200);
    const int first = next_number(slow);
    client quick = listener(server);
    int newest = 0;
    while (newest < first + 50)
        newest = next_number(quick);
    // What was under way, what the system held, and then there is a gap.
    int before = first, gap = 0;
    for (int i = 0; i < 4; ++i) {
        const int n = next_number(slow);
        CHECK(n > before);
        gap = std::max(gap, n - before);
        before = n;
    }
    CHECK(gap > 10);
    CHECK(before >= newest);
}

TEST_CASE("a reader that takes nothing is dropped when its time is over, the others stay") {
    auto s = patient();
    // The quick one is under the same limit, on a machine that may stand still for a while.
    s.write_time = 6s;
    running_server server(s);
    client deaf(server.port(), little_room);
    REQUIRE(deaf.send(ask_for_much));
    REQUIRE(deaf.receive()->status == 200);
    REQUIRE(server.streams() == 1);
    client quick = listener(server);
    std::size_t open = 2;
    const auto limit = core::steady::now() + 60s;
    while (open == 2 && core::steady::now() < limit) {
        CHECK(next_number(quick) > 0);
        open = server.streams();
        std::this_thread::sleep_for(20ms);  // not as fast as the machine can
    }
    CHECK(open == 1);
    CHECK(next_number(quick) > 0);
}

TEST_CASE("a client that closes gives its place back") {
    running_server server;
    { client gone = listener(server); }
    CHECK(eventually([&] { return server.streams() == 0 && server.connections() == 0; }));
}

TEST_CASE("stopping ends streams at once, also one that its reader holds up") {
    auto s = patient();
    s.stop_time = 60s;
    running_server server(s);
    client deaf(server.port(), little_room);
    REQUIRE(deaf.send(ask_for_much));
    REQUIRE(deaf.receive()->status == 200);
    client quick = listener(server);
    REQUIRE(next_number(quick) > 0);
    REQUIRE(server.streams() == 2);
    const auto began = core::steady::now();
    server.stop();
    server.join();
    CHECK(core::steady::now() - began < 30s);
    quick.receive_all();
    deaf.receive_all();
}
