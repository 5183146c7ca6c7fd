#include "redis/replication.hpp"

#include <doctest/doctest.h>

#include <array>

#include "redis/classify.hpp"

using namespace postrider;
using redis::options;
using redis::reply;

namespace {

const redis::target_keys list({event::target_kind::list, "list", 0}, redis::default_bridge, false);

reply integer(std::int64_t n) {
    return {reply::kind::integer, "", n, {}};
}
reply ok() {
    return {reply::kind::status, "OK", 0, {}};
}
reply error(std::string text) {
    return {reply::kind::error, std::move(text), 0, {}};
}

options with_replicas(unsigned n) {
    options o;
    o.wait_replicas = n;
    return o;
}

reply counted(const options& o, std::array<reply, 3> replies) {
    return redis::replicated(o, replies);
}

}  // namespace

TEST_CASE("without wait_replicas a push stands alone and its own reply counts") {
    redis::pipeline p;
    redis::append_wait(p, options{}, list, 7);
    CHECK(p.empty());
    CHECK(redis::replies_a_push(options{}) == 1);
    CHECK(redis::replicated(options{}, std::array{integer(5)}).integer == 5);
}

TEST_CASE("behind a push stand a write and WAIT, on the same connection") {
    redis::pipeline p;
    p.add({"PING"});
    redis::append_wait(p, with_replicas(2), list, 7);
    REQUIRE(p.size() == redis::replies_a_push(with_replicas(2)));
    CHECK(p.is_behind(1));
    CHECK(p.is_behind(2));
    CHECK(p.encoded(1).find("postrider:{list}:written") != std::string_view::npos);
    CHECK(p.encoded(2) == "*3\r\n$4\r\nWAIT\r\n$1\r\n2\r\n$4\r\n1000\r\n");
}

TEST_CASE("a push counts as delivered with enough replicas alone, and is tried again otherwise") {
    const auto o = with_replicas(2);
    CHECK(counted(o, {integer(5), ok(), integer(2)}).integer == 5);
    CHECK(counted(o, {integer(5), ok(), integer(3)}).integer == 5);
    const auto few = counted(o, {integer(5), ok(), integer(1)});
    CHECK(few.text == "NOREPLICAS 1 of 2 replicas have it after 1 s (wait_replicas)");
    CHECK(redis::classify(few) == redis::verdict::retry);
    CHECK(counted(o, {integer(5), ok(), error("NOPERM no")}).text ==
          "NOREPLICAS WAIT does not work: NOPERM no");
    CHECK(counted(o, {integer(5), error("OOM no"), integer(2)}).text ==
          "NOREPLICAS WAIT does not work: OOM no");
}

TEST_CASE("what the push itself says goes before what WAIT says") {
    const auto o = with_replicas(1);
    CHECK(counted(o, {error("WRONGTYPE x"), ok(), integer(0)}).text == "WRONGTYPE x");
}
