#include "redis/destination.hpp"

#include <doctest/doctest.h>

#include <vector>

#include "redis/slot.hpp"

using namespace postrider;
using redis::destination;
using kind = redis::destination::kind;

namespace {

destination of(std::initializer_list<std::string_view> words) {
    const std::vector<std::string_view> all(words);
    return redis::destination_of(all);
}

destination slot(std::string_view key) {
    return {kind::slot, redis::slot_of(key)};
}

}  // namespace

TEST_CASE("a command goes to its first key's slot") {
    CHECK(of({"GET", "a"}) == slot("a"));
    CHECK(of({"SET", "{t}a", "1", "PX", "5"}) == slot("t"));
    CHECK(of({"ZADD", "seen", "1", "id"}) == slot("seen"));
    CHECK(of({"EVALSHA", "sha", "2", "key", "other", "argument"}) == slot("key"));
    CHECK(of({"EVAL", "return 1", "1", "key"}) == slot("key"));
}

TEST_CASE("what has no key goes to any server, and what concerns all to every one") {
    for (const auto& d :
         {of({"PING"}), of({"PING", "text"}), of({"INFO"}), of({"INFO", "all"}), of({"WAIT", "1", "5"}),
          of({"EVALSHA", "sha", "0"}), of({"EVAL", "return 1", "0", "argument"}), of({"GET"})})
        CHECK(d == destination{kind::any});
    CHECK(of({"SCRIPT", "LOAD", "return 1"}) == destination{kind::every});
    CHECK(of({"KEYS", "*"}) == destination{kind::every});
    CHECK(of({"FLUSHALL"}) == destination{kind::every});
}
