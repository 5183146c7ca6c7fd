#include "redis/push_call.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace postrider;
using redis::batch;
using redis::delivery;
using redis::place;

namespace {

using namespace std::string_literals;
using words = std::vector<std::string>;

words words_of(const redis::pipeline& p, std::size_t command) {
    const std::string bytes(p.encoded(command));
    words all;
    auto at = bytes.find("\r\n") + 2;
    while (at < bytes.size()) {
        const auto size = std::stoul(bytes.substr(at + 1));
        at = bytes.find("\r\n", at) + 2;
        all.push_back(bytes.substr(at, size));
        at += size + 2;
    }
    CHECK(bytes.substr(1, bytes.find("\r\n") - 1) == std::to_string(all.size()));
    return all;
}

words call(
    const event::target& to, const batch& b,
    const std::function<place(std::size_t)>& place_of = [](std::size_t) { return place{}; }) {
    redis::pipeline p;
    const std::function<std::vector<std::string>(const delivery&)> no_fields = [](const delivery&) {
        return std::vector<std::string>();
    };
    const redis::target_keys keys(to, redis::default_bridge, false);
    redis::append_push(p, to, b, {"sha", keys, "me", 42, place_of, no_fields});
    REQUIRE(p.size() == 1);
    return words_of(p, 0);
}

delivery body(std::string text) {
    delivery d;
    d.body = std::move(text);
    return d;
}

delivery numbered(std::uint32_t route, std::uint64_t number, std::string key) {
    auto d = body("b" + std::to_string(number));
    d.route = route;
    d.number = number;
    d.key = std::move(key);
    return d;
}

const event::target list{event::target_kind::list, "q", 0};

const words head{"EVALSHA", "sha", "3", "q", "postrider:{q}:ledger:me", "postrider:{q}:epoch"};

words with(words first, const words& more) {
    first.insert(first.end(), more.begin(), more.end());
    return first;
}

}  // namespace

TEST_CASE("a push says which batch it is, who sends it, and what") {
    CHECK(call(list, {7, {body("one"), body("two\r\n\0"s + "x")}}) ==
          with(head, {"7", "list", "0", "604800000", "42", "0", "0", "2", "one", "two\r\n\0"s + "x"}));
}

TEST_CASE("a stream's call says about how many entries it keeps, and a channel's keeps nothing") {
    CHECK(call({event::target_kind::stream, "q", 1'000}, {1, {body("x")}}) ==
          with(head, {"1", "stream", "1000", "604800000", "42", "0", "0", "1", "x", "0"}));
    CHECK(call({event::target_kind::stream, "q", 0}, {1, {body("x")}}) ==
          with(head, {"1", "stream", "0", "604800000", "42", "0", "0", "1", "x", "0"}));
    auto of_channel = head;
    of_channel[4] = "postrider:{q}:ledger:channel:me";
    of_channel[5] = "postrider:{q}:epoch:channel";
    CHECK(call({event::target_kind::pubsub, "q", 0}, {1, {body("x")}}) ==
          with(of_channel, {"1", "pubsub", "0", "604800000", "42", "0", "0", "1", "x"}));
}

TEST_CASE("the contexts of what is pushed go with it, and those alone") {
    auto saved = body("saved");
    saved.saved_as = "context:a";
    auto also = body("also");
    also.saved_as = "context:b";
    CHECK(call(list, {1, {saved, body("not saved"), also}}) ==
          words{"EVALSHA", "sha", "5", "q", "postrider:{q}:ledger:me", "postrider:{q}:epoch", "context:a",
                "context:b", "1", "list", "0", "604800000", "42", "2", "0", "3", "saved", "not saved",
                "also"});
}

TEST_CASE("ids stand behind their own set, however the deliveries are mixed") {
    auto first = body("1");
    first.seen_in = "seen:y";
    first.seen = {{10, "a"}, {11, "b"}};
    auto second = body("2");
    second.seen_in = "seen:x";
    second.seen = {{12, "c"}};
    auto third = body("3");
    third.seen_in = "seen:y";
    third.seen = {{13, "d"}};
    // Numbers, which nobody remembers with the push.
    auto none = body("none");
    none.seen = {{17, ""}};
    CHECK(call(list, {1, {first, second, none, third}}) == words{"EVALSHA",
                                                                 "sha",
                                                                 "5",
                                                                 "q",
                                                                 "postrider:{q}:ledger:me",
                                                                 "postrider:{q}:epoch",
                                                                 "seen:x",
                                                                 "seen:y",
                                                                 "1",
                                                                 "list",
                                                                 "0",
                                                                 "604800000",
                                                                 "42",
                                                                 "0",
                                                                 "2",
                                                                 "4",
                                                                 "1",
                                                                 "2",
                                                                 "none",
                                                                 "3",
                                                                 "1",
                                                                 "12",
                                                                 "c",
                                                                 "3",
                                                                 "10",
                                                                 "a",
                                                                 "11",
                                                                 "b",
                                                                 "13",
                                                                 "d"});
}

TEST_CASE("a route in order says its last number, by key the last of each, and one alone itself") {
    const auto place_of = [](std::size_t route) {
        place p;
        p.route = "r" + std::to_string(route);
        p.kind = route == 0   ? place::order::in_order
                 : route == 1 ? place::order::by_key
                              : place::order::single;
        p.marker = "m" + std::to_string(route);
        p.base = 100 + route;
        return p;
    };
    const auto c = call(list,
                        {1,
                         {numbered(2, 31, "k"), numbered(0, 11, "k"), numbered(1, 21, "k"),
                          numbered(0, 12, "l"), numbered(1, 22, "l"), body("a catch-up's")}},
                        place_of);
    CHECK(c == words{"EVALSHA",
                     "sha",
                     "9",
                     "q",
                     "postrider:{q}:ledger:me",
                     "postrider:{q}:epoch",
                     "postrider:{q}:place:r0",
                     "postrider:{q}:behind:r0",
                     "postrider:{q}:place:r1",
                     "postrider:{q}:behind:r1",
                     "postrider:{q}:place:r2",
                     "postrider:{q}:behind:r2",
                     "1",
                     "list",
                     "0",
                     "604800000",
                     "42",
                     "0",
                     "0",
                     "6",
                     "b31",
                     "b11",
                     "b21",
                     "b12",
                     "b22",
                     "a catch-up's",
                     "m0",
                     "100",
                     "12",
                     "0",
                     "m1",
                     "101",
                     "",
                     "2",
                     "21",
                     "k",
                     "22",
                     "l",
                     "m2",
                     "102",
                     "",
                     "1",
                     "31",
                     "31"});
}

TEST_CASE("a target with a hash tag of its own keeps everything about it in that slot") {
    const auto c =
        call({event::target_kind::list, "{chat}:out", 0}, {1, {numbered(0, 5, "k")}}, [](std::size_t) {
            place p;
            p.route = "r";
            return p;
        });
    CHECK(words(c.begin() + 3, c.begin() + 8) ==
          words{"{chat}:out", "postrider:{chat}:{chat}:out:ledger:me", "postrider:{chat}:{chat}:out:epoch",
                "postrider:{chat}:{chat}:out:place:r", "postrider:{chat}:{chat}:out:behind:r"});
}

TEST_CASE(
    "a transaction pushes all but the last, which goes with the script and everything else of the batch") {
    auto saved = body("one");
    saved.saved_as = "context:a";
    const std::function<place(std::size_t)> place_of = [](std::size_t) { return place{}; };
    const std::function<words(const delivery&)> no_fields = [](const delivery&) { return words(); };
    redis::pipeline p;
    const redis::target_keys keys(list, redis::default_bridge, false);
    redis::append_transaction(p, list, {7, {saved, body("two"), body("three")}},
                              {"sha", keys, "me", 42, place_of, no_fields});
    REQUIRE(p.size() == redis::transaction_replies);
    CHECK(words_of(p, 0) == words{"MULTI"});
    CHECK(words_of(p, 1) == words{"RPUSH", "q", "one", "two"});
    auto script = words_of(p, 2);
    CHECK(script.at(1).starts_with("-- Delivers one batch"));
    script[1] = "push.lua";
    CHECK(script == words{"EVAL", "push.lua", "4", "q", "postrider:{q}:ledger:me", "postrider:{q}:epoch",
                          "context:a", "7", "list", "0", "604800000", "42", "1", "0", "1", "three"});
    CHECK(words_of(p, 3) == words{"EXEC"});
}

namespace {

redis::reply of(redis::reply::kind type, std::string text = {}) {
    redis::reply r;
    r.type = type;
    r.text = std::move(text);
    return r;
}

redis::reply of(std::vector<redis::reply> items) {
    redis::reply r;
    r.type = redis::reply::kind::array;
    r.items = std::move(items);
    return r;
}

const auto ok = of(redis::reply::kind::status, "OK");
const auto number = of(redis::reply::kind::integer);
const auto nil = of(redis::reply::kind::nil);
const auto error = of(redis::reply::kind::error, "WRONGTYPE");

bool done(const redis::reply& end) {
    return redis::transaction_done(std::vector{ok, ok, ok, end});
}

}  // namespace

TEST_CASE("a transaction is done when its end says that both halves are") {
    CHECK(done(of({number, number})));
    CHECK_FALSE(done(of({error, error})));
    CHECK_FALSE(done(of({number, error})));
    CHECK_FALSE(done(of({error, number})));
    CHECK_FALSE(done(of({number})));
    CHECK_FALSE(done(nil));
    CHECK_FALSE(done(error));
}

TEST_CASE("a watch holds where transactions are allowed and the epoch is this writer's") {
    const auto epoch = of(redis::reply::kind::string, "42");
    CHECK(redis::watch_holds(std::vector{ok, of(std::vector<redis::reply>()), ok, epoch}, 42));
    CHECK_FALSE(redis::watch_holds(std::vector{ok, of(std::vector<redis::reply>()), ok, epoch}, 43));
    CHECK_FALSE(redis::watch_holds(std::vector{ok, of(std::vector<redis::reply>()), ok, nil}, 42));
    CHECK_FALSE(redis::watch_holds(std::vector{ok, of(std::vector<redis::reply>()), error, epoch}, 42));
    CHECK_FALSE(redis::watch_holds(std::vector{error, error, ok, epoch}, 42));
}
