#include "service/open_contexts.hpp"

#include <doctest/doctest.h>

#include <set>

#include "event/context.hpp"
#include "support/loop.hpp"

namespace postrider::service {
namespace {

event::route grouping(std::string name) {
    event::route r;
    r.name = std::move(name);
    r.channel = "chat";
    r.policy = event::policy::group;
    r.target.name = "groups";
    return r;
}

void add(lane& l, std::string_view key, std::string_view payload) {
    std::vector<event::group> leaving;
    l.groups.add(key, "", payload, core::steady::now(), leaving, 7);
}

// Two routes, and a way to Redis that nobody goes.
struct two_routes {
    test::loop loop;
    redis::client client{loop.context().get_executor(), {}};
    redis::pusher carrier{loop.context().get_executor(), client, {}, {}, "writer", "chat"};
    std::deque<lane> lanes;
    redis::held_values contexts = open_contexts(lanes, carrier);

    two_routes() {
        add_lane("bot_events", redis::default_bridge, false);
        add_lane("other", "chat", true);
    }
    void add_lane(const std::string& name, std::string_view bridge, bool in_cluster) {
        auto r = grouping(name);
        const redis::target_keys keys(r.target, bridge, in_cluster);
        lanes.emplace_back(std::move(r), keys, 0, 0);
    }
    std::set<std::string> names() {
        std::set<std::string> all;
        contexts.visit_keys([&](std::string name) { return all.insert(std::move(name)).second; });
        return all;
    }
};

}  // namespace

TEST_CASE("an open group is found under the name that its context has in Redis, with its text") {
    two_routes t;
    CHECK(t.contexts.count() == 0);
    add(t.lanes[0], "a", "1");
    add(t.lanes[0], "a", "2");
    add(t.lanes[1], "a", "3");
    CHECK(t.contexts.count() == 2);
    CHECK(t.names() == std::set<std::string>{"context:a", "postrider@chat:context@{groups}:other:a"});
    const auto text = t.contexts.find("context:a");
    REQUIRE(text);
    const auto read = event::parse_context(*text);
    REQUIRE(read.has_value());
    CHECK(read->route == "bot_events");
    CHECK(read->messages == "1,2");
    CHECK(read->position == 7);
    CHECK(t.contexts.find("postrider@chat:context@{groups}:other:a")->ends_with("[3]}"));
    for (const auto* unknown :
         {"context:b", "context@{groups}:other:a", "postrider@chat:context@other:a", "context:", "a", ""})
        CHECK_FALSE(t.contexts.find(unknown));
}

TEST_CASE("names are shown as long as they are asked for, across routes") {
    two_routes t;
    for (auto& l : t.lanes)
        for (const auto* key : {"a", "b", "c"})
            add(l, key, "1");
    CHECK(t.names().size() == 6);
    std::size_t shown = 0;
    t.contexts.visit_keys([&](const std::string&) { return ++shown < 4; });
    CHECK(shown == 4);
    shown = 0;
    t.contexts.visit_keys([&](const std::string&) { return ++shown < 2; });
    CHECK(shown == 2);
}

}  // namespace postrider::service
