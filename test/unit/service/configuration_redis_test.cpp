#include <doctest/doctest.h>

#include "configuration_from_file.hpp"

using namespace postrider;
using namespace postrider::service;
using namespace std::chrono_literals;

namespace {

environment in_cluster() {
    return with("REDIS_URL", "redis+cluster://a,b");
}

std::string route_to(const std::string& target) {
    return "[[route]]\nname = 'r'\nchannel = 'c'\npolicy = 'immediate'\nto = '" + target + "'\n";
}

}  // namespace

TEST_CASE("a number of replicas is waited for where it is asked for, for a second at most") {
    CHECK(loaded(servers()).redis.wait_replicas == 0);
    auto v = with("REDIS_WAIT_REPLICAS", "2");
    CHECK(loaded(v).redis.wait_replicas == 2);
    CHECK(loaded(v).redis.wait_timeout == 1s);
    v["REDIS_WAIT_TIMEOUT"] = "300ms";
    CHECK(loaded(v).redis.wait_timeout == 300ms);
    CHECK(from("[redis]\nwait_replicas = 1\nwait_timeout = \"2s\"\n").redis.wait_timeout == 2s);
    CHECK(refused(with("REDIS_WAIT_REPLICAS", "two")) ==
          "REDIS_WAIT_REPLICAS=\"two\": not a number of replicas from 0 to 100");
    v["REDIS_WAIT_TIMEOUT"] = "5s";
    CHECK(
        refused(v).starts_with("redis.wait_timeout (5 s) must be shorter than redis.command_timeout (5 s), "
                               "or Redis would be taken"));
    v["REDIS_WAIT_REPLICAS"] = "0";
    CHECK(loaded(v).redis.wait_replicas == 0);
}

TEST_CASE("a target whose slot no other key can share is refused in a cluster, and only there") {
    CHECK(from(route_to("a}b")).routes.size() == 1);
    CHECK(from(route_to("a{b}c"), in_cluster()).routes.size() == 1);
    CHECK(error_of(route_to("a}b"), in_cluster()) ==
          "route 'r': the target 'a}b' cannot be used in a cluster, because no other key can share its slot; "
          "take "
          "the '}' out of it");
}

TEST_CASE("the circuit breaker's thresholds come from the file or the environment") {
    const auto usual = loaded(servers()).redis;
    CHECK(usual.breaker_failures == 5);
    CHECK(usual.breaker_window == 30s);
    CHECK(usual.breaker_open == 5s);
    auto v = with("REDIS_BREAKER_FAILURES", "3");
    v["REDIS_BREAKER_WINDOW"] = "1m";
    v["REDIS_BREAKER_OPEN"] = "250ms";
    const auto given = loaded(v).redis;
    CHECK(given.breaker_failures == 3);
    CHECK(given.breaker_window == 1min);
    CHECK(given.breaker_open == 250ms);
    CHECK(from("[redis]\nbreaker_failures = 7\nbreaker_open = \"1s\"\n").redis.breaker_failures == 7);
    CHECK(refused(with("REDIS_BREAKER_FAILURES", "0")) ==
          "REDIS_BREAKER_FAILURES=\"0\": not a whole number from 1 to 1000");
    CHECK(refused(with("REDIS_BREAKER_OPEN", "0")).starts_with("REDIS_BREAKER_OPEN=\"0\": "));
}
