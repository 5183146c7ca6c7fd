#include <doctest/doctest.h>

#include <boost/asio/post.hpp>
#include <thread>

#include "client.hpp"
#include "http/endpoints.hpp"
#include "running_server.hpp"
#include "support/eventually.hpp"

using namespace postrider;
using namespace postrider::test;
using namespace std::chrono_literals;

namespace {

constexpr std::string_view at_gate = "GET /gate HTTP/1.1\r\nHost: a\r\n\r\n";

void wait_at_gate(running_server& server, std::size_t count) {
    while (server.at_gate() != count)
        std::this_thread::yield();
}

std::string refusal(const http::settings& s) {
    asio::io_context context;
    http::server server(context.get_executor(), s, {});
    const auto port = server.listen();
    REQUIRE_FALSE(port.has_value());
    CHECK(port.error().code == core::errc::invalid_input);
    return port.error().message;
}

}  // namespace

TEST_CASE("stopping closes idle connections and lets running answers finish") {
    running_server server;
    client idle(server.port());
    CHECK(idle.get("/echo").status == 200);
    client fresh(server.port());
    client busy(server.port());
    REQUIRE(busy.send(at_gate));
    wait_at_gate(server, 1);
    server.stop();
    CHECK(idle.closed());
    CHECK(fresh.closed());
    CHECK_THROWS(client(server.port()));
    server.open_gate();
    const auto a = busy.receive();
    REQUIRE(a);
    CHECK(a->body == "through");
    CHECK(a->has("\r\nConnection: close\r\n"));
}

TEST_CASE("an answer that does not finish is cancelled once the time to stop is over") {
    auto s = patient();
    s.stop_time = 200ms;
    running_server server(s);
    client busy(server.port());
    client half(server.port());
    REQUIRE(busy.send(at_gate));
    REQUIRE(half.send("GET /"));
    wait_at_gate(server, 1);
    server.stop();
    server.join();
    CHECK(busy.closed());
    CHECK(half.closed());
}

TEST_CASE("a server without clients stops at once") {
    running_server server;
    server.stop();
    server.join();
}

TEST_CASE(
    "a port that is taken, an address of elsewhere and a name instead of an address are told in words") {
    running_server server;
    auto s = patient();
    s.port = server.port();
    CHECK(refusal(s) ==
          "HTTP cannot listen on 127.0.0.1:" + std::to_string(server.port()) +
              ": Address already in use; another program listens there: stop it, or choose another "
              "port (PORT)");
    s.address = "192.0.2.1";
    s.port = 0;
    CHECK(refusal(s) ==
          "HTTP cannot listen on 192.0.2.1:0: Cannot assign requested address; this machine has no "
          "such address: use 0.0.0.0 or :: for every interface");
    s.address = "localhost";
    CHECK(refusal(s) ==
          "HTTP cannot listen on \"localhost\": it is not an IP address; use 0.0.0.0 or :: for every "
          "interface, 127.0.0.1 for this machine alone");
}

TEST_CASE("the endpoints answer over a real connection") {
    asio::io_context context;
    http::view v;
    v.health = [] { return http::health{}; };
    v.stats = [] { return http::stats{}; };
    v.live = [] { return http::live{}; };
    v.version = "1";
    http::server server(context.get_executor(), patient(), http::make_endpoints(std::move(v)));
    const auto port = server.listen().value();
    asio::co_spawn(context, server.run(), [](const std::exception_ptr& e) {
        if (e) std::rethrow_exception(e);
    });
    std::thread asking([&] {
        {
            client c(port);
            CHECK(c.get("/health").status == 200);
            CHECK(c.get("/health/readiness").status == 503);
            CHECK(c.get("/nothing").status == 404);
            const auto page = c.get("/");
            CHECK(page.status == 200);
            CHECK(page.has("\r\nContent-Security-Policy: default-src 'none'; script-src 'sha256-"));
            CHECK(page.has("\r\nX-Content-Type-Options: nosniff\r\n"));
            CHECK(page.has("\r\nReferrer-Policy: no-referrer\r\n"));
            c.send("HEAD / HTTP/1.1\r\nHost: a\r\n\r\nHEAD /events HTTP/1.1\r\nHost: a\r\n\r\n");
            CHECK(c.receive(true)->has("\r\nContent-Length: " + std::to_string(page.body.size())));
            CHECK(c.receive(true)->has("\r\nContent-Type: text/event-stream\r\n"));
            c.send("POST /events HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n");
            CHECK(c.receive()->status == 405);
            c.send("PUT /stats HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n");
            const auto a = c.receive();
            CHECK(a->status == 405);
            CHECK(a->has("\r\nAllow: GET, HEAD\r\n"));
            c.send("GET /events HTTP/1.1\r\nHost: a\r\n\r\n");
            CHECK(c.receive()->has("\r\nContent-Type: text/event-stream\r\n"));
            CHECK(c.receive_until("\n\n").starts_with("event: state\ndata: {\"version\":\"1\","));
            CHECK(c.receive_until("\n\n").starts_with("event: state\ndata: {\"version\":\"1\","));
        }
        asio::post(context, [&] { server.stop(); });
    });
    context.run();
    asking.join();
}
