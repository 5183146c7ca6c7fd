#include "redis/pending.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace std::chrono_literals;
using namespace postrider;
using redis::call;
using redis::pending;
using redis::reply;

namespace {

reply text(std::string words) {
    reply r;
    r.type = reply::kind::string;
    r.text = std::move(words);
    return r;
}

const core::steady::time_point start{1h};

}  // namespace

TEST_CASE("replies go to the calls in the order these were added, each its number of them") {
    asio::io_context loop;
    pending line;
    call first(loop.get_executor(), 2);
    call second(loop.get_executor(), 1);
    line.add(first, start);
    line.add(second, start);
    for (const auto* words : {"a", "b", "c"})
        CHECK(line.take(text(words), start));
    CHECK(line.empty());
    const auto of_first = first.take();
    const auto of_second = second.take();
    REQUIRE(of_first.has_value());
    REQUIRE(of_second.has_value());
    REQUIRE(of_first->size() == 2);
    CHECK((*of_first)[0].text == "a");
    CHECK((*of_first)[1].text == "b");
    REQUIRE(of_second->size() == 1);
    CHECK((*of_second)[0].text == "c");
}

TEST_CASE("a reply without a call is not taken") {
    pending line;
    CHECK_FALSE(line.take(text("x"), start));
}

TEST_CASE("a failure ends every call, half-answered ones too") {
    asio::io_context loop;
    pending line;
    call half(loop.get_executor(), 2);
    call none(loop.get_executor(), 1);
    line.add(half, start);
    line.add(none, start);
    line.take(text("a"), start);
    line.fail({core::errc::connection_lost, "gone"});
    CHECK(line.empty());
    for (call* c : {&half, &none}) {
        const auto result = c->take();
        REQUIRE(result.has_error());
        CHECK(result.error().code == core::errc::connection_lost);
        CHECK(result.error().message == "gone");
    }
}

TEST_CASE("a caller that goes away keeps its place, so that later replies find theirs") {
    asio::io_context loop;
    pending line;
    call stays(loop.get_executor(), 1);
    {
        call goes(loop.get_executor(), 2);
        line.add(goes, start);
        line.add(stays, start);
        line.take(text("a"), start);
    }
    line.take(text("b"), start);
    line.take(text("mine"), start);
    const auto result = stays.take();
    REQUIRE(result.has_value());
    CHECK((*result)[0].text == "mine");
}

TEST_CASE("a line that goes before its callers leaves them in peace") {
    asio::io_context loop;
    call c(loop.get_executor(), 1);
    pending line;
    line.add(c, start);
}

TEST_CASE("the oldest command waits since it was added, or since the reply before it") {
    asio::io_context loop;
    pending line;
    call first(loop.get_executor(), 1);
    call second(loop.get_executor(), 1);
    line.add(first, start);
    line.add(second, start + 2s);
    CHECK(line.waiting_since() == start);
    line.take(text("a"), start + 3s);
    CHECK(line.waiting_since() == start + 3s);
    line.take(text("b"), start + 4s);
    call third(loop.get_executor(), 1);
    line.add(third, start + 9s);
    CHECK(line.waiting_since() == start + 9s);
}

TEST_CASE("a delay of our own is forgiven once until the next reply") {
    asio::io_context loop;
    pending line;
    call c(loop.get_executor(), 2);
    line.add(c, start);
    CHECK(line.forgive(start + 7s));
    CHECK(line.waiting_since() == start + 7s);
    CHECK_FALSE(line.forgive(start + 20s));
    line.take(text("a"), start + 21s);
    CHECK(line.forgive(start + 30s));
}
