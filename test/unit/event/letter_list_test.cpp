#include "event/letter_list.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace std::chrono_literals;
using namespace postrider::event;

namespace {

constexpr dead_letter::wall_time noon{12h};

dead_letter event_of(std::string payload, dead_letter::wall_time at = noon) {
    dead_letter l;
    l.route = "chat";
    l.channel = "chat";
    l.reason = "not_json";
    l.payload = std::move(payload);
    l.first = l.last = at;
    return l;
}

dead_letter push_of(std::string body) {
    auto l = event_of(std::move(body));
    l.kind = dead_letter::origin::push;
    l.reason = "WRONGTYPE";
    return l;
}

std::string payloads(const std::vector<letter_list::numbered>& letters) {
    std::string all;
    for (const auto& [number, l] : letters)
        all += std::to_string(number) + ":" + l.payload + "x" + std::to_string(l.attempts) + " ";
    return all;
}

std::string content(const letter_list& list) {
    return payloads(list.find({}, noon, 0, 1'000));
}

}  // namespace

TEST_CASE("letters wait in the order in which they came") {
    letter_list list(10, 1 << 20);
    for (const auto* each : {"a", "b", "c"})
        CHECK(list.add(event_of(each)) == 0);
    CHECK(payloads(list.take(2)) == "1:ax1 2:bx1 ");
    CHECK(content(list) == "3:cx1 ");
    list.add(event_of("d"));
    CHECK(content(list) == "3:cx1 4:dx1 ");
}

TEST_CASE("the same event for the same reason is one letter with more attempts, a push never is") {
    letter_list list(10, 1 << 20);
    list.add(event_of("a", noon));
    list.add(event_of("b"));
    list.add(event_of("a", noon + 5s));
    auto other = event_of("a");
    other.reason = "no_key";
    list.add(other);
    list.add(push_of("p"));
    list.add(push_of("p"));
    CHECK(content(list) == "1:ax2 2:bx1 3:ax1 4:px1 5:px1 ");
    const auto first = list.take(1).front().letter;
    CHECK(first.first == noon);
    CHECK(first.last == noon + 5s);
}

TEST_CASE("beyond the bounds the oldest go, and are counted by their attempts") {
    letter_list few(2, 1 << 20);
    few.add(event_of("a"));
    few.add(event_of("a"));
    few.add(event_of("a"));
    CHECK(few.add(event_of("b")) == 0);
    CHECK(few.add(event_of("c")) == 3);
    CHECK(content(few) == "2:bx1 3:cx1 ");

    letter_list small(1'000, 10'000);
    for (int i = 0; i < 100; ++i)
        small.add(event_of(std::string(1'000, 'x') + std::to_string(i)));
    CHECK(small.bytes() <= 10'000);
    CHECK(small.size() >= 5);
    // The newest stays, however large it is.
    CHECK(small.add(event_of(std::string(50'000, 'y'))) > 0);
    CHECK(small.size() == 1);
    small.take(1);
    CHECK(small.bytes() == 0);
}

TEST_CASE("what is put back is where it was, within the bounds") {
    letter_list list(3, 1 << 20);
    list.add(event_of("a"));
    list.add(event_of("b"));
    auto taken = list.take(2);
    list.add(event_of("c"));
    list.add(event_of("a"));
    CHECK(list.put_back(std::move(taken)) == 1);
    CHECK(content(list) == "2:bx1 3:cx1 4:ax1 ");
    // The one that came later goes on being counted.
    list.add(event_of("a"));
    CHECK(content(list) == "2:bx1 3:cx1 4:ax2 ");
}

TEST_CASE("no two of those taken together are the same event") {
    letter_list list(10, 1 << 20);
    list.add(event_of("a"));
    auto taken = list.take(1);
    list.add(event_of("a"));
    list.put_back(std::move(taken));
    CHECK(payloads(list.take(10)) == "1:ax1 ");
    CHECK(payloads(list.take(10)) == "2:ax1 ");
}

TEST_CASE("one letter can be taken out by its number, once") {
    letter_list list(10, 1 << 20);
    list.add(event_of("a"));
    list.add(event_of("b"));
    REQUIRE(list.take_one(1));
    CHECK(!list.take_one(1));
    CHECK(content(list) == "2:bx1 ");
    // It is no longer there to be counted.
    list.add(event_of("a"));
    CHECK(content(list) == "2:bx1 3:ax1 ");
}

TEST_CASE("a push comes behind the oldest one of its route and key, an event behind none") {
    letter_list list(100, 1'000'000);
    const auto add = [&](const std::string& route, const std::string& key, bool is_push = true) {
        auto l = is_push ? push_of("body") : event_of(route + key);
        l.route = route;
        l.key = key;
        list.add(l);
    };
    add("a", "k", false);  // 1
    add("a", "k");
    add("b", "k");
    add("a", "other");
    add("a", "k");
    add("a", "k");
    CHECK_FALSE(list.earlier_push(1).has_value());
    CHECK_FALSE(list.earlier_push(2).has_value());
    CHECK_FALSE(list.earlier_push(3).has_value());
    CHECK_FALSE(list.earlier_push(4).has_value());
    CHECK(list.earlier_push(5) == 2);
    CHECK(list.earlier_push(6) == 2);
    CHECK_FALSE(list.earlier_push(7).has_value());
    list.take_one(2);
    CHECK_FALSE(list.earlier_push(5).has_value());
    CHECK(list.earlier_push(6) == 5);
}

TEST_CASE("letters are found by route, reason, age and number, page by page") {
    letter_list list(10, 1 << 20);
    list.add(event_of("old", noon - 2h));
    list.add(event_of("new", noon));
    auto other = push_of("push");
    other.route = "other";
    list.add(other);
    const auto found = [&](const letter_filter& f, std::int64_t after = 0, std::size_t limit = 10) {
        return payloads(list.find(f, noon, after, limit));
    };
    CHECK(found({.route = "other"}) == "3:pushx1 ");
    CHECK(found({.reason = "not_json"}) == "1:oldx1 2:newx1 ");
    CHECK(found({.older_than = 1h}) == "1:oldx1 ");
    CHECK(found({.newer_than = 1h}) == "2:newx1 3:pushx1 ");
    CHECK(found({.ids = {2, 3}}) == "2:newx1 3:pushx1 ");
    CHECK(found({.route = "chat", .ids = {2, 3}}) == "2:newx1 ");
    CHECK(found({}, 1, 1) == "2:newx1 ");
    CHECK(letter_filter{}.empty());
    CHECK(!letter_filter{.ids = {1}}.empty());
}
