#include "redis/reader.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace std::string_view_literals;
using postrider::core::errc;
using postrider::redis::reader;
using postrider::redis::reply;

namespace {

// A reply as one line, so that whole trees compare at once.
std::string show(const reply& r) {
    switch (r.type) {
        case reply::kind::nil:
            return "nil";
        case reply::kind::string:
            return '"' + r.text + '"';
        case reply::kind::status:
            return '+' + r.text;
        case reply::kind::error:
            return '-' + r.text;
        case reply::kind::integer:
            return std::to_string(r.integer);
        case reply::kind::array:
            break;
    }
    std::string text = "[";
    for (const auto& item : r.items)
        text += show(item) + ' ';
    return text + ']';
}

// Everything the reader can give now; a protocol error ends the list with "failure".
std::vector<std::string> drain(reader& from) {
    std::vector<std::string> all;
    for (;;) {
        auto next = from.next();
        if (!next) {
            CHECK(next.error().code == errc::protocol);
            all.emplace_back("failure");
            return all;
        }
        if (!*next) return all;
        all.push_back(show(**next));
    }
}

void append(std::vector<std::string>& to, const std::vector<std::string>& more) {
    to.insert(to.end(), more.begin(), more.end());
}

constexpr auto stream =
    "+OK\r\n-WRONGTYPE no list\r\n:-42\r\n:9223372036854775807\r\n$-1\r\n*-1\r\n$0\r\n\r\n*0\r\n"
    "$7\r\na\r\nb\0cd\r\n*3\r\n:1\r\n*2\r\n$1\r\nx\r\n*1\r\n$-1\r\n-ERR in here\r\n+LAST\r\n"sv;

const std::vector<std::string> replies{"+OK",
                                       "-WRONGTYPE no list",
                                       "-42",
                                       "9223372036854775807",
                                       "nil",
                                       "nil",
                                       "\"\"",
                                       "[]",
                                       std::string("\"a\r\nb\0cd\"", 9),
                                       "[1 [\"x\" [nil ] ] -ERR in here ]",
                                       "+LAST"};

}  // namespace

TEST_CASE("all kinds of replies are read, nested arrays and binary strings included") {
    reader r;
    r.feed(stream);
    CHECK(drain(r) == replies);
}

TEST_CASE("replies are the same wherever the bytes are split") {
    for (std::size_t at = 0; at <= stream.size(); ++at) {
        CAPTURE(at);
        reader r;
        r.feed(stream.substr(0, at));
        auto all = drain(r);
        r.feed(stream.substr(at));
        append(all, drain(r));
        CHECK(all == replies);
    }
}

TEST_CASE("replies are the same when the bytes come one by one") {
    reader r;
    std::vector<std::string> all;
    for (const char byte : stream) {
        r.feed({&byte, 1});
        append(all, drain(r));
    }
    CHECK(all == replies);
}

TEST_CASE("a reply comes as soon as its last byte is there, and not before") {
    reader r;
    r.feed("$5\r\nhello\r");
    CHECK(drain(r).empty());
    r.feed("\n");
    CHECK(drain(r) == std::vector<std::string>{"\"hello\""});
}

TEST_CASE("what is not Redis' protocol is an error that asks for the other service") {
    reader r;
    r.feed("HTTP/1.1 400 Bad Request\r\n\r\n");
    const auto next = r.next();
    REQUIRE(next.has_error());
    CHECK(next.error().code == errc::protocol);
    CHECK(next.error().message.find("another service") != std::string::npos);
}

TEST_CASE("replies before a protocol error still count") {
    reader r;
    r.feed("+OK\r\n?\r\n");
    CHECK(drain(r) == std::vector<std::string>{"+OK", "failure"});
}

TEST_CASE("arrays nested without end are an error") {
    reader r;
    for (int i = 0; i < 100; ++i)
        r.feed("*1\r\n");
    CHECK(drain(r) == std::vector<std::string>{"failure"});
}

TEST_CASE("an array's announced size alone takes no memory") {
    reader r(1'000);
    r.feed("*2000000000\r\n:1\r\n");
    CHECK(drain(r).empty());
}

TEST_CASE("a reply beyond the limit is an error, however many smaller ones came before") {
    reader r(100);
    for (int i = 0; i < 100; ++i) {
        r.feed("$20\r\n01234567890123456789\r\n");
        CHECK(drain(r).size() == 1);
    }
    r.feed("$90\r\n" + std::string(90, 'x'));
    CHECK(drain(r).empty());
    r.feed("\r\n$200\r\n" + std::string(101, 'x'));
    CHECK(drain(r) == std::vector<std::string>{'"' + std::string(90, 'x') + '"', "failure"});
}
