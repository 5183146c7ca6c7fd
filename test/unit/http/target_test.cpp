#include "http/target.hpp"

#include <doctest/doctest.h>

using postrider::http::parse_target;

namespace {
std::string path(std::string_view text) {
    const auto t = parse_target(text);
    REQUIRE(t);
    return t->path;
}
}  // namespace

TEST_CASE("a path is decoded and its query left as it came") {
    const auto t = parse_target("/dead%2Dletters/a%20b?x=%31&y");
    REQUIRE(t);
    CHECK(t->path == "/dead-letters/a b");
    CHECK(t->query == "x=%31&y");
    CHECK(path("/%c3%BC") == "/\xC3\xBC");
}

TEST_CASE("a query may hold question marks and be empty") {
    CHECK(parse_target("/a?b?c")->query == "b?c");
    CHECK(parse_target("/a?")->query.empty());
    CHECK(parse_target("/a?")->path == "/a");
}

TEST_CASE("an absolute target loses its origin") {
    CHECK(path("http://example.org:8080/health?x") == "/health");
    CHECK(path("HTTPS://example.org/health") == "/health");
    CHECK(path("http://example.org") == "/");
    CHECK(parse_target("http://example.org?a")->query == "a");
    CHECK(path("http://example.org?a") == "/");
}

TEST_CASE("an asterisk stands for the server") {
    CHECK(path("*") == "*");
}

TEST_CASE("a broken percent sign is refused") {
    for (const auto* text : {"/%", "/%4", "/%g0", "/%0g", "/a%"}) {
        CAPTURE(text);
        CHECK_FALSE(parse_target(text));
    }
}

TEST_CASE("control characters are refused, encoded or not") {
    for (const auto* text : {"/%00", "/%0d%0a", "/%7F", "/a\tb", "/\x1f"}) {
        CAPTURE(text);
        CHECK_FALSE(parse_target(text));
    }
}

TEST_CASE("what is neither a path nor an origin is refused") {
    for (const auto* text : {"", "health", "example.org:443", "ftp://example.org/", "?a"}) {
        CAPTURE(text);
        CHECK_FALSE(parse_target(text));
    }
}
