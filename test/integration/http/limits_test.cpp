#include <doctest/doctest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <iostream>
#include <random>
#include <thread>

#include "client.hpp"
#include "core/log_line.hpp"
#include "running_server.hpp"
#include "support/eventually.hpp"

using namespace postrider;
using namespace postrider::test;
using postrider::support::eventually;
using namespace std::chrono_literals;

namespace {

std::uint64_t seed() {
    const char* given = std::getenv("POSTRIDER_SEED");
    const std::uint64_t value = given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
    std::cout << "POSTRIDER_SEED=" << value << '\n';
    return value;
}

}  // namespace

TEST_CASE("a half-sent request is closed at its deadline, and not before") {
    auto s = patient();
    s.request_time = 300ms;
    running_server server(s);
    for (const std::string_view part : {"", "G", "GET /echo HTTP/1.1\r\nHost: a",
                                        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n1234"}) {
        CAPTURE(part);
        const auto start = core::steady::now();
        client c(server.port());
        REQUIRE(c.send(part));
        CHECK(c.closed());
        CHECK(core::steady::now() - start >= 250ms);
    }
    CHECK(eventually([&] { return server.connections() == 0; }));
}

TEST_CASE("a request that comes byte by byte does not move its deadline") {
    auto s = patient();
    s.request_time = 1s;
    running_server server(s);
    client c(server.port());
    CHECK(c.get("/echo").status == 200);
    const auto limit = core::steady::now() + 60s;
    REQUIRE(c.send("GET /echo HTTP/1.1\r\nX: "));
    while (c.send("x") && core::steady::now() < limit)
        std::this_thread::sleep_for(10ms);
    CHECK(core::steady::now() < limit);
    CHECK(eventually([&] { return server.connections() == 0; }));
}

TEST_CASE("a kept connection is closed when it has been idle for long, and only then") {
    auto s = patient();
    s.idle_time = 3s;
    running_server server(s);
    client c(server.port());
    for (int i = 0; i < 2; ++i)
        CHECK(c.get("/echo").status == 200);
    const auto start = core::steady::now();
    CHECK(c.get("/echo").status == 200);
    CHECK(c.closed());
    CHECK(core::steady::now() - start >= 3s);
}

TEST_CASE("a request that comes late in the idle time has its whole time") {
    auto s = patient();
    s.idle_time = 3s;
    running_server server(s);
    client c(server.port());
    CHECK(c.get("/echo").status == 200);
    REQUIRE(c.send("GET /gate HTTP/1.1\r\nHost: a\r\n\r\n"));
    REQUIRE(eventually([&] { return server.at_gate() == 1; }));
    std::this_thread::sleep_for(3200ms);
    server.open_gate();
    CHECK(c.receive()->body == "through");
}

TEST_CASE("a client that does not read its answer is dropped, and nobody waits for it") {
    auto s = patient();
    s.write_time = 500ms;
    running_server server(s);
    client slow(server.port(), 4096);
    REQUIRE(slow.send("GET /big HTTP/1.1\r\nHost: a\r\n\r\n"));
    client quick(server.port());
    CHECK(quick.get("/echo").status == 200);
    CHECK(eventually([&] { return server.connections() == 1; }));
    CHECK(quick.get("/echo").status == 200);
    CHECK_FALSE(slow.receive());
}

TEST_CASE("an endpoint that does not come to an end is cancelled") {
    auto s = patient();
    s.answer_time = 200ms;
    running_server server(s);
    client c(server.port());
    REQUIRE(c.send("GET /gate HTTP/1.1\r\nHost: a\r\n\r\n"));
    CHECK(c.closed());
    CHECK(eventually([&] { return server.connections() == 0; }));
}

TEST_CASE("a client that vanishes during its answer does no harm") {
    running_server server;
    for (int i = 0; i < 20; ++i) {
        client c(server.port());
        REQUIRE(c.send("GET /gate HTTP/1.1\r\nHost: a\r\n\r\n"));
    }
    REQUIRE(eventually([&] { return server.at_gate() == 20; }));
    server.open_gate();
    CHECK(eventually([&] { return server.connections() == 0; }));
    CHECK(client(server.port()).get("/echo").status == 200);
}

TEST_CASE("hundreds of half-sent requests do not hold up a whole one") {
    running_server server;
    std::vector<client> slow;
    for (int i = 0; i < 400; ++i)
        REQUIRE(slow.emplace_back(server.port()).send("GET / HTTP/1.1\r\nX: "));
    REQUIRE(eventually([&] { return server.connections() == 400; }));
    client c(server.port());
    for (int i = 0; i < 50; ++i)
        CHECK(c.get("/echo").status == 200);
}

TEST_CASE("a connection has served enough after its last request, and says so") {
    auto s = patient();
    s.max_requests = 3;
    running_server server(s);
    client c(server.port());
    CHECK_FALSE(c.get("/echo").has("Connection: close"));
    CHECK_FALSE(c.get("/echo").has("Connection: close"));
    CHECK(c.get("/echo").has("Connection: close"));
    CHECK(c.closed());
}

TEST_CASE("without a free descriptor the server waits, and then serves who waited") {
    auto s = patient();
    s.accept_pause = 10ms;
    running_server server(s);
    // The undefined-behaviour sanitizer needs a descriptor to look at a type for the first time, so whatever
    // is done without one is done before.
    CHECK(client(server.port()).get("/echo").status == 200);
    REQUIRE(eventually([&] { return server.connections() == 0; }));
    CHECK(server.connections() == 0);
    core::log_info("{} are about to run out", std::string("descriptors"));
    rlimit before{};
    REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
    const int next = ::dup(0);
    REQUIRE(next >= 0);
    ::close(next);
    rlimit tight = before;
    tight.rlim_cur = static_cast<rlim_t>(next) + 1;
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &tight) == 0);
    std::optional<client> c;
    try {
        c.emplace(server.port());
        c->send("GET /echo HTTP/1.1\r\nHost: a\r\n\r\n");
    } catch (...) {
        ::setrlimit(RLIMIT_NOFILE, &before);
        throw;
    }
    // The accept was tried and failed by the time that the loop has turned a few times.
    for (int i = 0; i < 10; ++i)
        CHECK(server.connections() == 0);
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &before) == 0);
    CHECK(c->receive()->status == 200);
}

TEST_CASE("random bytes never harm the server") {
    running_server server;
    std::mt19937_64 random(seed());
    const std::string request =
        "POST /echo?a=%41 HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\nhello";
    for (int i = 0; i < 200; ++i) {
        std::string bytes(random() % 5000, '\0');
        for (auto& b : bytes)
            b = static_cast<char>(random());
        // Half of them are a good request with a few bytes changed, which gets further into the parser.
        if (i % 2 == 0) {
            bytes = request + request;
            for (int change = 0; change < 3; ++change)
                bytes[random() % bytes.size()] = static_cast<char>(random());
        }
        client c(server.port());
        c.send(bytes);
        c.finish_sending();
        c.receive_all();
        if (i % 20 == 0) REQUIRE(client(server.port()).get("/echo").status == 200);
    }
    CHECK(client(server.port()).get("/echo").status == 200);
    CHECK(eventually([&] { return server.connections() == 0; }));
}
