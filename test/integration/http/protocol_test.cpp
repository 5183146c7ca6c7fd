#include <doctest/doctest.h>

#include "client.hpp"
#include "running_server.hpp"

using namespace postrider::test;

namespace {
std::string text(std::string_view path) {
    return "GET " + std::string(path) + " HTTP/1.1\r\nHost: a\r\n\r\n";
}
}  // namespace

TEST_CASE("one connection serves one request after the other") {
    running_server server;
    client c(server.port());
    for (int i = 0; i < 50; ++i) {
        const auto a = c.get("/echo?" + std::to_string(i));
        CHECK(a.status == 200);
        CHECK(a.body == "GET /echo " + std::to_string(i) + " ");
        CHECK_FALSE(a.has("Connection:"));
    }
    CHECK(server.connections() == 1);
}

TEST_CASE("every answer carries the headers that every answer has to carry") {
    running_server server;
    client c(server.port());
    for (const auto* path : {"/echo", "/nowhere", "/throw"}) {
        const auto a = c.get(path);
        CAPTURE(a.head);
        for (const auto* field :
             {"\r\nServer: postrider\r\n", "\r\nCache-Control: no-store\r\n",
              "\r\nX-Content-Type-Options: nosniff\r\n", "\r\nContent-Type: ", "\r\nDate: "}) {
            CHECK(a.has(field));
        }
    }
}

TEST_CASE("HEAD gets the length of the body but not the body, and the connection goes on") {
    running_server server;
    client c(server.port());
    REQUIRE(c.send("HEAD /echo HTTP/1.1\r\nHost: a\r\n\r\n"));
    const auto a = c.receive(true);
    REQUIRE(a);
    CHECK(a->status == 200);
    CHECK(a->has("\r\nContent-Length: " + std::to_string(std::string("HEAD /echo  ").size()) + "\r\n"));
    CHECK(c.get("/echo").body == "GET /echo  ");
}

TEST_CASE("pipelined requests are answered in order") {
    running_server server;
    client c(server.port());
    std::string all;
    for (int i = 0; i < 300; ++i)
        all += text("/echo?" + std::to_string(i));
    REQUIRE(c.send(all));
    for (int i = 0; i < 300; ++i) {
        const auto a = c.receive();
        REQUIRE(a);
        REQUIRE(a->body == "GET /echo " + std::to_string(i) + " ");
    }
}

TEST_CASE("a client that has sent all it will still gets its answers") {
    running_server server;
    client c(server.port());
    REQUIRE(c.send(text("/echo?1") + text("/echo?2")));
    c.finish_sending();
    CHECK(c.receive()->body == "GET /echo 1 ");
    CHECK(c.receive()->body == "GET /echo 2 ");
    CHECK(c.closed());
}

TEST_CASE("Connection: close and HTTP/1.0 end the connection after the answer") {
    running_server server;
    for (const std::string_view request :
         {"GET /echo HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", "GET /echo HTTP/1.0\r\n\r\n"}) {
        client c(server.port());
        REQUIRE(c.send(request));
        const auto a = c.receive();
        REQUIRE(a);
        CHECK(a->status == 200);
        CHECK(a->has("\r\nConnection: close\r\n"));
        CHECK(c.closed());
    }
}

TEST_CASE("an HTTP/1.0 client that asks for it keeps its connection") {
    running_server server;
    client c(server.port());
    for (int i = 0; i < 2; ++i) {
        REQUIRE(c.send("GET /echo HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"));
        const auto a = c.receive();
        REQUIRE(a);
        CHECK(a->has("\r\nConnection: keep-alive\r\n"));
    }
}

TEST_CASE("absolute and encoded targets reach the same endpoint") {
    running_server server;
    client c(server.port());
    CHECK(c.get("http://example.org/echo?x").body == "GET /echo x ");
    CHECK(c.get("/%65cho?%65").body == "GET /echo %65 ");
}

TEST_CASE("a client that expects 100 Continue gets it before its body") {
    running_server server;
    client c(server.port());
    REQUIRE(c.send("POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n"));
    const auto interim = c.receive();
    REQUIRE(interim);
    CHECK(interim->status == 100);
    REQUIRE(c.send("hello"));
    CHECK(c.receive()->body == "POST /echo  hello");
}

TEST_CASE("a malformed request gets 400 in JSON, and the connection ends") {
    running_server server;
    for (const std::string_view request :
         {"nonsense\r\n\r\n", "GET / HTTP/1.1\r\n\r\n", "GET /% HTTP/1.1\r\nHost: a\r\n\r\n",
          "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"}) {
        client c(server.port());
        REQUIRE(c.send(request));
        const auto a = c.receive();
        REQUIRE(a);
        CHECK(a->status == 400);
        CHECK(a->body.starts_with(R"({"error":")"));
        CHECK(a->has("\r\nConnection: close\r\n"));
        CHECK(c.closed());
    }
}

TEST_CASE("oversized headers get 431 and oversized bodies 413, though the client is still sending") {
    running_server server;
    client headers(server.port());
    headers.send("GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(100'000, 'x') + "\r\n\r\n");
    CHECK(headers.receive()->status == 431);
    CHECK(headers.closed());
    CHECK_FALSE(headers.reset());
    client body(server.port());
    body.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n" + std::string(100'000, 'x'));
    CHECK(body.receive()->status == 413);
    CHECK(body.closed());
    CHECK_FALSE(body.reset());
}

TEST_CASE("a body of the greatest size arrives whole") {
    running_server server;
    client c(server.port());
    const std::string most(64 * 1024, 'b');
    REQUIRE(c.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 65536\r\n\r\n" + most));
    CHECK(c.receive()->body == "POST /echo  " + most);
}

TEST_CASE("an endpoint that throws is a 500, and the connection goes on") {
    running_server server;
    client c(server.port());
    const auto a = c.get("/throw");
    CHECK(a.status == 500);
    CHECK(a.body.find("on purpose") == std::string::npos);
    CHECK(c.get("/echo").status == 200);
}

TEST_CASE("a large answer arrives whole") {
    running_server server;
    client c(server.port());
    CHECK(c.get("/big").body == std::string(std::size_t{16} << 20, 'x'));
}
