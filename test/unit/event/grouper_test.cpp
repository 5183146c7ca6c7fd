#include "event/grouper.hpp"

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

namespace {

using namespace postrider::event;
using std::chrono::seconds;

steady_time at(int s) {
    return steady_time{} + seconds(s);
}

grouping rules() {
    grouping g;
    g.window = seconds(15);
    g.cooldown = seconds(5);
    g.max_wait = seconds(40);
    return g;
}

std::string text(const std::vector<group>& groups) {
    std::string all;
    for (const auto& g : groups)
        all += g.key + "[" + g.messages + "]";
    return all;
}

std::string due(grouper& g, int s) {
    std::vector<group> leaving;
    g.due(at(s), leaving);
    return text(leaving);
}

std::string add(grouper& g, std::string_view key, std::string_view payload, int s) {
    std::vector<group> leaving;
    g.add(key, "", payload, at(s), leaving);
    return text(leaving);
}

group earlier(std::string key, std::string messages, std::uint32_t count, int opened, int last) {
    group g;
    g.key = std::move(key);
    g.messages = std::move(messages);
    g.count = count;
    g.opened = at(opened);
    g.last = at(last);
    return g;
}

}  // namespace

TEST_CASE("a fixed window ends its length after the first event, whatever follows") {
    grouper g(rules());
    add(g, "a", "1", 100);
    add(g, "a", "2", 114);
    CHECK(due(g, 114).empty());
    CHECK(due(g, 115) == "a[1,2]");
    CHECK(due(g, 200).empty());
}

TEST_CASE("a group carries its ids, count and times") {
    grouper g(rules());
    std::vector<group> leaving;
    g.add("a", "id1", "{}", at(1), leaving);
    g.add("a", "id2", "[]", at(2), leaving);
    CHECK(g.open_groups() == 1);
    CHECK(g.open_bytes() == 5);
    g.due(at(16), leaving);
    REQUIRE(leaving.size() == 1);
    CHECK(leaving[0].ids == std::vector<std::string>{"id1", "id2"});
    CHECK(leaving[0].count == 2);
    CHECK(leaving[0].opened == at(1));
    CHECK(leaving[0].last == at(2));
    CHECK(g.open_groups() == 0);
    CHECK(g.open_bytes() == 0);
}

TEST_CASE("a sliding window is restarted by each event, but not past max_wait") {
    auto r = rules();
    r.kind = window_kind::sliding;
    grouper g(r);
    add(g, "a", "1", 0);
    add(g, "a", "2", 10);
    CHECK(due(g, 24).empty());
    add(g, "a", "3", 24);
    add(g, "a", "4", 36);
    CHECK(due(g, 39).empty());
    CHECK(due(g, 40) == "a[1,2,3,4]");
}

TEST_CASE("an event in the cooldown opens the next group and is not dropped") {
    auto r = rules();
    r.window = seconds(2);
    grouper g(r);
    add(g, "a", "1", 0);
    CHECK(due(g, 2) == "a[1]");
    add(g, "a", "2", 3);
    CHECK(due(g, 6).empty());
    CHECK(due(g, 7) == "a[2]");
}

TEST_CASE("a window that outlasts the cooldown decides") {
    grouper g(rules());
    add(g, "a", "1", 0);
    CHECK(due(g, 15) == "a[1]");
    add(g, "a", "2", 16);
    CHECK(due(g, 30).empty());
    CHECK(due(g, 31) == "a[2]");
}

TEST_CASE("a group that reaches max_events leaves at once, also within the cooldown") {
    auto r = rules();
    r.max_events = 2;
    grouper g(r);
    CHECK(add(g, "a", "1", 0).empty());
    CHECK(add(g, "a", "2", 0) == "a[1,2]");
    CHECK(add(g, "a", "3", 1).empty());
    CHECK(add(g, "a", "4", 1) == "a[3,4]");
}

TEST_CASE("max_events of one sends each event on and leaves nothing behind after the cooldown") {
    auto r = rules();
    r.max_events = 1;
    grouper g(r);
    CHECK(add(g, "a", "1", 0) == "a[1]");
    CHECK(g.next_deadline() == at(5));
    CHECK(due(g, 5).empty());
    CHECK_FALSE(g.next_deadline());
}

TEST_CASE("an event that would carry a group past max_bytes sends it off first and opens the next") {
    auto r = rules();
    r.max_bytes = 7;
    grouper g(r);
    CHECK(add(g, "a", "111", 0).empty());
    CHECK(add(g, "a", "222", 0).empty());  // 3 + 1 + 3 bytes fit exactly
    CHECK(add(g, "a", "3", 1) == "a[111,222]");
    CHECK(g.open_bytes() == 1);
    CHECK(due(g, 16) == "a[3]");
}

TEST_CASE("a departure through a limit starts the cooldown") {
    auto r = rules();
    r.window = seconds(1);
    r.max_events = 2;
    grouper g(r);
    add(g, "a", "1", 0);
    CHECK(add(g, "a", "2", 0) == "a[1,2]");
    add(g, "a", "3", 1);
    CHECK(due(g, 4).empty());
    CHECK(due(g, 5) == "a[3]");
}

TEST_CASE("an event larger than max_bytes forms a group of its own") {
    auto r = rules();
    r.max_bytes = 4;
    grouper g(r);
    CHECK(add(g, "a", "1234567", 0).empty());
    CHECK(add(g, "a", "2", 0) == "a[1234567]");
}

TEST_CASE("due groups leave in the order of their deadlines, then of their opening") {
    auto r = rules();
    r.kind = window_kind::sliding;
    grouper g(r);
    add(g, "z", "1", 0);
    add(g, "b", "2", 1);
    add(g, "a", "3", 1);
    add(g, "z", "4", 2);
    CHECK(due(g, 99) == "b[2]a[3]z[1,4]");
}

TEST_CASE("the next deadline is empty only when nothing is held, and never late") {
    grouper g(rules());
    CHECK_FALSE(g.next_deadline());
    add(g, "a", "1", 0);
    CHECK(g.next_deadline() == at(15));
    add(g, "b", "1", 1);
    CHECK(g.next_deadline() == at(15));
    due(g, 15);
    CHECK(g.next_deadline() == at(16));
    due(g, 16);
    CHECK(g.next_deadline() == at(20));
    due(g, 21);
    CHECK_FALSE(g.next_deadline());
}

TEST_CASE("an adopted group keeps its own window and leaves at once where it is over") {
    grouper g(rules());
    g.adopt(earlier("late", "1,2", 2, -100, -95));
    g.adopt(earlier("open", "3", 1, -5, -5));
    CHECK(g.open_groups() == 2);
    CHECK(g.open_bytes() == 4);
    CHECK(due(g, 0) == "late[1,2]");
    CHECK(due(g, 9).empty());
    CHECK(due(g, 10) == "open[3]");
}

TEST_CASE("an adopted group waits for its key's cooldown") {
    auto r = rules();
    r.max_events = 1;
    grouper g(r);
    add(g, "a", "1", 0);
    g.adopt(earlier("a", "2", 1, -100, -100));
    CHECK(due(g, 4).empty());
    CHECK(due(g, 5) == "a[2]");
}

TEST_CASE("adopted messages go in front of those of an open group, whose window then counts from them") {
    grouper g(rules());
    std::vector<group> leaving;
    g.add("a", "id3", "3", at(0), leaving);
    auto before = earlier("a", "1,2", 2, -10, -9);
    before.ids = {"id1", "id2"};
    g.adopt(before);
    CHECK(g.open_groups() == 1);
    CHECK(g.open_bytes() == 5);
    CHECK(g.next_deadline() == at(5));
    g.due(at(4), leaving);
    CHECK(leaving.empty());
    g.due(at(5), leaving);
    REQUIRE(text(leaving) == "a[1,2,3]");
    CHECK(leaving[0].ids == std::vector<std::string>{"id1", "id2", "id3"});
    CHECK(leaving[0].count == 3);
    CHECK(leaving[0].opened == at(-10));
    CHECK(leaving[0].last == at(0));
    // The entry of the time before the adoption must not bring anything back.
    CHECK(due(g, 15).empty());
    CHECK(due(g, 60).empty());
    CHECK_FALSE(g.next_deadline());
}

TEST_CASE("a sliding group that was merged twice is held once and leaves once") {
    auto r = rules();
    r.kind = window_kind::sliding;
    grouper g(r);
    add(g, "a", "3", 0);
    g.adopt(earlier("a", "2", 1, -20, -10));
    g.adopt(earlier("a", "1", 1, -30, -30));
    add(g, "a", "4", 5);
    CHECK(due(g, 9).empty());
    CHECK(due(g, 10) == "a[1,2,3,4]");
    CHECK(due(g, 100).empty());
    CHECK_FALSE(g.next_deadline());
}

TEST_CASE("all groups are taken in the order in which they were opened, and nothing stays") {
    grouper g(rules());
    add(g, "b", "1", 0);
    add(g, "a", "2", 0);
    g.adopt(earlier("c", "3", 1, -5, -5));
    std::vector<group> leaving;
    g.take_all(leaving);
    CHECK(text(leaving) == "c[3]b[1]a[2]");
    CHECK(g.open_groups() == 0);
    CHECK(g.open_bytes() == 0);
    CHECK_FALSE(g.has_unsaved());
    CHECK_FALSE(g.next_deadline());
    add(g, "a", "4", 1);
    CHECK(due(g, 16) == "a[4]");
}
