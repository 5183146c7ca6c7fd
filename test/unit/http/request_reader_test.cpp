#include "http/request_reader.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>
#include <string_view>

using postrider::http::request_reader;
using progress = request_reader::progress;

namespace {

// Gives the bytes in pieces of at most `piece`; stops where a request is complete or refused.
progress feed(request_reader& reader, std::string_view& bytes, std::size_t piece = 1 << 20) {
    auto so_far = reader.received(0);
    while (so_far != progress::complete && so_far != progress::refused && !bytes.empty()) {
        const auto room = reader.room();
        REQUIRE_FALSE(room.empty());
        const auto count = std::min({room.size(), bytes.size(), piece});
        std::memcpy(room.data(), bytes.data(), count);
        bytes.remove_prefix(count);
        so_far = reader.received(count);
    }
    return so_far;
}

unsigned refused_with(std::string_view bytes, std::size_t piece = 1 << 20) {
    request_reader reader(1024, 100);
    if (feed(reader, bytes, piece) != progress::refused) return 0;
    CHECK(reader.refusal().body.starts_with(R"({"error":")"));
    return reader.refusal().status;
}

constexpr std::string_view plain = "GET /health?x=1 HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer b\r\n\r\n";

}  // namespace

TEST_CASE("a request is the same however its bytes are cut") {
    for (const std::size_t piece : {1U, 2U, 3U, 7U, 1000U}) {
        CAPTURE(piece);
        request_reader reader(1024, 100);
        std::string_view bytes = plain;
        CHECK(reader.idle());
        REQUIRE(feed(reader, bytes, piece) == progress::complete);
        const auto asked = reader.take();
        CHECK(asked.method == "GET");
        CHECK(asked.path == "/health");
        CHECK(asked.query == "x=1");
        CHECK(asked.authorization == "Bearer b");
        CHECK(asked.body.empty());
        CHECK(reader.keep_alive());
        CHECK_FALSE(reader.old_client());
        CHECK(reader.idle());
    }
}

TEST_CASE("a body is read to its length and not further") {
    for (const std::size_t piece : {1U, 5U, 1000U}) {
        CAPTURE(piece);
        request_reader reader(1024, 100);
        std::string_view bytes =
            "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhelloGET /b HTTP/1.1\r\nHost: a\r\n\r\n";
        REQUIRE(feed(reader, bytes, piece) == progress::complete);
        CHECK(reader.take().body == "hello");
        REQUIRE(feed(reader, bytes, piece) == progress::complete);
        CHECK(reader.take().path == "/b");
    }
}

TEST_CASE("pipelined requests come out one by one and in order") {
    std::string many;
    for (int i = 0; i < 500; ++i)
        many += "GET /" + std::to_string(i) + " HTTP/1.1\r\nHost: a\r\n\r\n";
    std::string_view bytes = many;
    request_reader reader(1024, 100);
    for (int i = 0; i < 500; ++i) {
        REQUIRE(feed(reader, bytes) == progress::complete);
        REQUIRE(reader.take().path == "/" + std::to_string(i));
    }
    CHECK(reader.idle());
    CHECK(reader.received(0) == progress::more);
}

TEST_CASE("a reader with a begun request is not idle") {
    request_reader reader(1024, 100);
    std::string_view bytes = "GET / HTTP/1.1\r\n";
    CHECK(feed(reader, bytes) == progress::more);
    CHECK_FALSE(reader.idle());
}

TEST_CASE("empty lines before a request are ignored") {
    request_reader reader(1024, 100);
    std::string_view bytes = "\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n";
    CHECK(feed(reader, bytes) == progress::complete);
}

TEST_CASE("HTTP/1.0 needs no Host and closes unless it asks to stay") {
    request_reader reader(1024, 100);
    std::string_view bytes = "GET / HTTP/1.0\r\n\r\n";
    REQUIRE(feed(reader, bytes) == progress::complete);
    reader.take();
    CHECK_FALSE(reader.keep_alive());
    CHECK(reader.old_client());
    bytes = "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n";
    REQUIRE(feed(reader, bytes) == progress::complete);
    reader.take();
    CHECK(reader.keep_alive());
}

TEST_CASE("Connection: close is heard") {
    request_reader reader(1024, 100);
    std::string_view bytes = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    REQUIRE(feed(reader, bytes) == progress::complete);
    reader.take();
    CHECK_FALSE(reader.keep_alive());
}

TEST_CASE("a client that waits for 100 Continue is told once, and then sends its body") {
    request_reader reader(1024, 100);
    std::string_view head =
        "POST /a HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\nContent-Length: 2\r\n\r\n";
    CHECK(feed(reader, head) == progress::expects);
    std::string_view half = "o";
    CHECK(feed(reader, half) == progress::more);
    std::string_view rest = "k";
    REQUIRE(feed(reader, rest) == progress::complete);
    CHECK(reader.take().body == "ok");
}

TEST_CASE("a client that does not wait for 100 Continue is not told") {
    request_reader reader(1024, 100);
    std::string_view bytes =
        "POST /a HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\no";
    CHECK(feed(reader, bytes) == progress::more);
}

TEST_CASE("malformed requests are refused with 400") {
    for (const std::string_view bytes :
         {"nonsense\r\n\r\n", "GET\r\n\r\n", "GET / HTTP/3.0\r\n\r\n", "GET / HTTP/1.1\r\n\r\n",
          "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "GET / HTTP/1.1\r\nno colon\r\n\r\n",
          "GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n", "GET health HTTP/1.1\r\nHost: a\r\n\r\n",
          "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n",
          "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
          "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"}) {
        CAPTURE(bytes);
        CHECK(refused_with(bytes) == 400);
        CHECK(refused_with(bytes, 1) == 400);
    }
}

TEST_CASE("a chunked body is refused before any of it is read") {
    CHECK(refused_with("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 1) ==
          411);
    CHECK(refused_with("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n") == 411);
}

TEST_CASE("a body above its limit is refused before it is sent, one at the limit is read") {
    CHECK(refused_with("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 101\r\n\r\n") ==
          413);
    CHECK(refused_with("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\n") != 0);
    request_reader reader(1024, 100);
    const std::string whole =
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n" + std::string(100, 'x');
    std::string_view bytes = whole;
    REQUIRE(feed(reader, bytes) == progress::complete);
    CHECK(reader.take().body.size() == 100);
}

TEST_CASE("an unknown expectation is refused with 417") {
    CHECK(refused_with("POST / HTTP/1.1\r\nHost: a\r\nExpect: tea\r\nContent-Length: 2\r\n\r\n") == 417);
}

TEST_CASE(
    "headers above their limit are refused, in one field, in the request line, and in many small fields") {
    const std::string start = "GET / HTTP/1.1\r\nHost: a\r\n";
    CHECK(refused_with(start + "X: " + std::string(2000, 'x')) == 431);
    CHECK(refused_with("GET /" + std::string(2000, 'x')) == 431);
    std::string many = start;
    for (int i = 0; i < 300; ++i)
        many += "a: b\r\n";
    // Cut behind each line, the parser sees no single piece that is too long.
    request_reader reader(1024, 100);
    auto so_far = progress::more;
    std::string_view rest = many;
    std::size_t sent = 0;
    while (so_far == progress::more && !rest.empty()) {
        std::string_view line = rest.substr(0, rest.find('\n') + 1);
        rest.remove_prefix(line.size());
        sent += line.size();
        so_far = feed(reader, line);
    }
    REQUIRE(so_far == progress::refused);
    CHECK(reader.refusal().status == 431);
    CHECK(sent <= 1024 + 6);
}

TEST_CASE("headers at their limit pass") {
    std::string whole = "GET / HTTP/1.1\r\nHost: a\r\nX: ";
    whole += std::string(1024 - whole.size() - 4, 'x') + "\r\n\r\n";
    for (const std::size_t piece : {1U, 1000U, 1024U}) {
        CAPTURE(piece);
        request_reader reader(1024, 100);
        std::string_view bytes = whole;
        CHECK(feed(reader, bytes, piece) == progress::complete);
    }
    CHECK(refused_with(whole.substr(0, whole.size() - 4) + "x\r\n\r\n") == 431);
}
