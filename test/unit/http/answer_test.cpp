#include "http/answer.hpp"

#include <doctest/doctest.h>

using namespace postrider;
using namespace std::chrono_literals;

TEST_CASE("an answer carries its length, its type and the headers of every answer") {
    http::response r;
    r.body = "{}";
    CHECK(http::render(r, {}, "today") ==
          "HTTP/1.1 200 OK\r\nServer: postrider\r\nDate: today\r\nContent-Type: application/json\r\n"
          "Content-Length: 2\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n\r\n{}");
}

TEST_CASE("an answer to HEAD names the length of the body it leaves away") {
    http::response r;
    r.body = "12345";
    const auto text = http::render(r, {.with_body = false}, "");
    CHECK(text.find("Content-Length: 5\r\n") != std::string::npos);
    CHECK(text.ends_with("\r\n\r\n"));
}

TEST_CASE("the connection's fate is told where the client cannot know it") {
    const http::response r;
    CHECK(http::render(r, {.keep_alive = false}, "").find("\r\nConnection: close\r\n") != std::string::npos);
    CHECK(http::render(r, {.old_client = true}, "").find("\r\nConnection: keep-alive\r\n") !=
          std::string::npos);
    CHECK(http::render(r, {.keep_alive = false, .old_client = true}, "").find("keep-alive") ==
          std::string::npos);
    CHECK(http::render(r, {}, "").find("Connection") == std::string::npos);
}

TEST_CASE("405 carries Allow") {
    http::response r;
    r.status = 405;
    r.allow = "GET, HEAD";
    const auto text = http::render(r, {}, "");
    CHECK(text.starts_with("HTTP/1.1 405 Method Not Allowed\r\n"));
    CHECK(text.find("\r\nAllow: GET, HEAD\r\n") != std::string::npos);
}

TEST_CASE("further fields stand in the head, and a stream has no length") {
    http::response r;
    r.fields.emplace_back("Retry-After", "10");
    CHECK(http::render(r, {}, "").find("\r\nRetry-After: 10\r\n") != std::string::npos);
    r.stream = std::make_shared<http::feed>([] { return std::string(); }, core::milliseconds(1));
    CHECK(http::render(r, {}, "").find("Content-Length") == std::string::npos);
}

TEST_CASE("an error is JSON whatever its words hold") {
    const auto r = http::error_response(404, "no \"x\"");
    CHECK(r.status == 404);
    CHECK(r.content_type == "application/json");
    CHECK(r.body == R"({"error":"no \"x\""})");
}

TEST_CASE("the date is formatted anew when the second changes, forwards or backwards") {
    http::date_cache cache;
    const core::wall::time_point start{};
    CHECK(cache.at(start + 999ms) == "Thu, 01 Jan 1970 00:00:00 GMT");
    CHECK(cache.at(start + 1s) == "Thu, 01 Jan 1970 00:00:01 GMT");
    CHECK(cache.at(start) == "Thu, 01 Jan 1970 00:00:00 GMT");
}
