#include "configuration_fixture.hpp"

using namespace postrider;
using namespace postrider::service;
using namespace std::chrono_literals;

namespace {

const event::route& route_named(const configuration& c, std::string_view name) {
    const auto found =
        std::find_if(c.routes.begin(), c.routes.end(), [&](const auto& r) { return r.name == name; });
    REQUIRE(found != c.routes.end());
    return *found;
}

}  // namespace

TEST_CASE("bot_events groups a conversation's messages for the worker's list") {
    const auto c = loaded(servers());
    const auto& r = route_named(c, "bot_events");
    CHECK(r.channel == "bot_events");
    CHECK(r.policy == event::policy::group);
    CHECK(r.key == "/match_id");
    CHECK(r.id.empty());
    CHECK(r.time.empty());
    CHECK(r.grouping.kind == event::window_kind::fixed);
    CHECK(r.grouping.window == 15s);
    CHECK(r.grouping.cooldown == 5s);
    CHECK(r.target.kind == event::target_kind::list);
    CHECK(r.target.name == "bot_messages");
    CHECK(r.type == "grouped");
    REQUIRE(r.fields.size() == 2);
    CHECK(r.fields[0].name == "match_id");
    CHECK(r.fields[0].pointer == "/match_id");
    CHECK(r.fields[1].name == "bot_id");
    CHECK(r.fields[1].pointer == "/bot_id");
}

TEST_CASE("new_match opens a conversation later, unless it has begun") {
    const auto c = loaded(servers());
    const auto& r = route_named(c, "new_match");
    CHECK(r.channel == "new_match");
    CHECK(r.policy == event::policy::delay);
    CHECK(r.key == "/id");
    CHECK(r.delaying.min == 15min);
    CHECK(r.delaying.max == 6h);
    CHECK(r.delaying.spread == event::distribution::triangular);
    CHECK(r.delaying.probability == 0.5);
    CHECK(r.delaying.cancel_on == "bot_events");
    CHECK(r.delaying.cancel_key == "/match_id");
    CHECK(r.type == "initiation");
    REQUIRE(r.fields.size() == 1);
    CHECK(r.fields[0].name == "match_id");
    CHECK(r.fields[0].pointer == "/id");
    CHECK(r.participants == std::vector<std::string>{"/user1_id", "/user2_id"});
    CHECK(r.target.name == "bot_messages");
}

TEST_CASE("the Python bridge's variables shape the built-in routes") {
    auto v = servers();
    v["GROUPING_DELAY"] = "1.5";
    v["PUSH_COOLDOWN"] = "0";
    v["INITIATION_PROBABILITY"] = "1";
    v["MIN_DELAY_MINUTES"] = "0.5";
    v["MAX_DELAY_MINUTES"] = "2h";
    const auto c = loaded(v);
    CHECK(route_named(c, "bot_events").grouping.window == 1500ms);
    CHECK(route_named(c, "bot_events").grouping.cooldown == 0s);
    CHECK(route_named(c, "new_match").delaying.probability == 1);
    CHECK(route_named(c, "new_match").delaying.min == 30s);
    CHECK(route_named(c, "new_match").delaying.max == 2h);
}

TEST_CASE("in test mode every match is opened within a minute") {
    for (const auto* yes : {"true", "1", "yes", "on", "True"}) {
        auto v = with("TEST_MODE", yes);
        v["INITIATION_PROBABILITY"] = "0";
        v["MIN_DELAY_MINUTES"] = "500";
        const auto c = loaded(v);
        const auto& d = route_named(c, "new_match").delaying;
        CHECK(d.min == 0s);
        CHECK(d.max == 60s);
        CHECK(d.spread == event::distribution::uniform);
        CHECK(d.probability == 1);
    }
    for (const auto* no : {"false", "0", "no", "off", ""}) {
        CHECK(route_named(loaded(with("TEST_MODE", no)), "new_match").delaying.min == 15min);
    }
}

TEST_CASE("delays that cross are refused") {
    CHECK(refused(with("MAX_DELAY_MINUTES", "10")) ==
          "MIN_DELAY_MINUTES (15 min) is above MAX_DELAY_MINUTES (10 min); exchange or change them");
    CHECK_NOTHROW(loaded(with("MAX_DELAY_MINUTES", "15")));
}

TEST_CASE("bots come from BOT_IDS and from the old variables for one bot each") {
    auto v = servers();
    v["BOT_IDS"] = " b2 ,b1,, b2";
    v["BOT_ANNA_ID"] = "anna";
    v["BOT_ZOE_2_ID"] = "b1";
    v["BOT_ID"] = "not one";
    v["BOT__ID"] = "not one either";
    v["ROBOT_X_ID"] = "nor this";
    v["BOT_X_IDS"] = "nor that";
    v["BOT_NONE_ID"] = "";
    const auto c = loaded(v);
    CHECK(route_named(c, "new_match").bot_ids == std::vector<std::string>{"b2", "b1", "anna"});
    CHECK(c.warnings.empty());
}

TEST_CASE("without any bot somebody is told that matches are skipped") {
    auto v = servers();
    v.erase("BOT_IDS");
    CHECK(warns(loaded(v),
                "BOT_IDS is not set: every event on channel new_match is skipped, as nobody is known to "
                "be a bot; write for example BOT_IDS=<id>,<id>"));
}
