#include <doctest/doctest.h>

#include <set>
#include <string>
#include <vector>

#include "event/grouper.hpp"

namespace {

using namespace postrider::event;
using std::chrono::seconds;

steady_time at(int s) {
    return steady_time{} + seconds(s);
}

// "key:saved:messages;" for each update shown.
std::string visit(grouper& g, std::size_t limit = 100) {
    std::string shown;
    g.visit_unsaved(limit, [&shown](const context_update& u) {
        shown += std::string(u.key) + ":" + std::to_string(u.saved) + ":" + std::string(u.messages) + ";";
    });
    return shown;
}

void add(grouper& g, std::string_view key, std::string_view payload, int s = 0) {
    std::vector<group> leaving;
    g.add(key, "", payload, at(s), leaving);
}

group one(std::string_view key, std::string_view message) {
    group g;
    g.key = key;
    g.messages = message;
    g.count = 1;
    return g;
}

}  // namespace

TEST_CASE("a change is shown once, with what was shown before as saved") {
    grouper g{grouping{}};
    CHECK_FALSE(g.has_unsaved());
    add(g, "a", "11");
    add(g, "a", "22");
    CHECK(g.has_unsaved());
    CHECK(visit(g) == "a:0:11,22;");
    CHECK_FALSE(g.has_unsaved());
    CHECK(visit(g).empty());
    add(g, "a", "33");
    CHECK(visit(g) == "a:5:11,22,33;");
}

TEST_CASE("an update carries the count and the times") {
    grouper g{grouping{}};
    add(g, "a", "1", 3);
    add(g, "a", "2", 4);
    g.visit_unsaved(1, [](const context_update& u) {
        CHECK(u.count == 2);
        CHECK(u.opened == at(3));
        CHECK(u.last == at(4));
    });
}

TEST_CASE("it is known since when the longest unsaved waits, and not of what has to be shown again") {
    grouper g({});
    CHECK_FALSE(g.unsaved_since().has_value());
    add(g, "a", "1", 1);
    add(g, "b", "1", 2);
    add(g, "c", "1", 3);
    add(g, "a", "2", 5);
    CHECK(g.unsaved_since() == at(1));
    visit(g, 1);
    CHECK(g.unsaved_since() == at(2));
    g.mark_unsaved("a");
    CHECK(g.unsaved_since() == steady_time::min());
    visit(g, 2);
    CHECK(g.unsaved_since() == steady_time::min());
    visit(g, 1);
    CHECK_FALSE(g.unsaved_since().has_value());
    add(g, "a", "3", 6);
    CHECK(g.unsaved_since() == at(6));
}

TEST_CASE("no more than the limit is shown, the longest unsaved first") {
    grouper g{grouping{}};
    add(g, "a", "1");
    add(g, "b", "2");
    add(g, "c", "3");
    add(g, "a", "4");
    CHECK(visit(g, 2) == "a:0:1,4;b:0:2;");
    CHECK(g.has_unsaved());
    add(g, "a", "5");
    CHECK(visit(g, 2) == "c:0:3;a:3:1,4,5;");
    CHECK(g.visit_unsaved(5, [](const context_update&) {}) == 0);
}

TEST_CASE("a group that has left is not shown any more, and the key's next one is shown whole") {
    grouping rules;
    rules.max_events = 2;
    grouper g(rules);
    add(g, "a", "1");
    CHECK(visit(g) == "a:0:1;");
    add(g, "a", "2");
    CHECK_FALSE(g.has_unsaved());
    CHECK(visit(g).empty());
    add(g, "a", "3");
    CHECK(visit(g) == "a:0:3;");
}

TEST_CASE("an adopted group is saved already, a merged one is shown whole") {
    grouper g{grouping{}};
    g.adopt(one("a", "11"));
    CHECK_FALSE(g.has_unsaved());
    add(g, "a", "22");
    CHECK(visit(g) == "a:2:11,22;");
    add(g, "b", "2");
    visit(g);
    g.adopt(one("b", "1"));
    CHECK(visit(g) == "b:0:1,2;");
}

TEST_CASE("what did not reach Redis is shown again, whole") {
    grouper g{grouping{}};
    add(g, "a", "1");
    add(g, "b", "2");
    visit(g);
    g.mark_unsaved("a");
    g.mark_unsaved("a");
    g.mark_unsaved("unknown");
    CHECK(visit(g) == "a:0:1;");
    g.mark_all_unsaved();
    const auto shown = visit(g);
    CHECK(shown.size() == 12);
    CHECK(shown.find("a:0:1;") != std::string::npos);
    CHECK(shown.find("b:0:2;") != std::string::npos);
    CHECK_FALSE(g.has_unsaved());
}

TEST_CASE("a key in its cooldown has nothing to show") {
    grouping rules;
    rules.max_events = 1;
    grouper g(rules);
    add(g, "a", "1");
    g.mark_unsaved("a");
    g.mark_all_unsaved();
    CHECK_FALSE(g.has_unsaved());
}

TEST_CASE(
    "an open group is found by its key, with all that its context needs, and no longer once it has left") {
    grouper g{grouping{}};
    CHECK_FALSE(g.find("a"));
    add(g, "a", "1", 3);
    add(g, "a", "2", 4);
    add(g, "b", "3", 4);
    visit(g);
    const auto found = g.find("a");
    REQUIRE(found);
    CHECK(found->key == "a");
    CHECK(found->messages == "1,2");
    CHECK(found->count == 2);
    CHECK(found->opened == at(3));
    CHECK(found->last == at(4));
    CHECK_FALSE(g.has_unsaved());
    std::vector<group> leaving;
    g.take_all(leaving);
    CHECK_FALSE(g.find("a"));
}

TEST_CASE("the open groups' keys are shown, those in their cooldown not, until it is enough") {
    grouping rules;
    rules.window = seconds(10);
    rules.cooldown = seconds(60);
    grouper g{rules};
    add(g, "left", "1", 0);
    std::vector<group> leaving;
    g.due(at(20), leaving);
    REQUIRE(leaving.size() == 1);
    add(g, "a", "1", 21);
    add(g, "b", "1", 21);
    std::set<std::string> all;
    g.visit_open([&](std::string_view key) { return all.emplace(key).second; });
    CHECK(all == std::set<std::string>{"a", "b"});
    std::size_t seen = 0;
    g.visit_open([&](std::string_view) { return ++seen < 1; });
    CHECK(seen == 1);
}
