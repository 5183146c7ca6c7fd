#include "event/render.hpp"

#include <doctest/doctest.h>

#include <string>

#include "event/time.hpp"

namespace {

using namespace postrider::event;

route bot_events() {
    route r;
    r.type = "grouped";
    r.fields = {{"match_id", "/match_id"}, {"bot_id", "/bot_id"}};
    return r;
}

route new_match() {
    route r;
    r.type = "initiation";
    r.fields = {{"match_id", "/id"}};
    r.participants = {"/user1_id", "/user2_id"};
    r.bot_ids = {"bot-1", "42"};
    return r;
}

std::string pair(const route& r, std::string_view payload) {
    payload_reader reader;
    const auto found = find_bot(r, payload, reader);
    return found.bot + "|" + found.user;
}

std::string delayed_text(const route& r, std::string_view payload) {
    delayed d;
    d.payload = payload;
    d.scheduled_for = *parse_time("2026-11-21T03:02:11.5Z");
    payload_reader reader;
    return render_delayed(r, d, reader);
}

}  // namespace

TEST_CASE("a group is its messages byte for byte and the fields of its first message") {
    group g;
    g.count = 2;
    g.messages = R"({ "match_id" : "m\u0031", "bot_id":7, "t":"],["},{"match_id":"m1","bot_id":8})";
    payload_reader reader;
    CHECK(render_group(bot_events(), g, reader) ==
          R"({"type":"grouped","count":2,"messages":[{ "match_id" : "m\u0031", "bot_id":7, "t":"],["},)"
          R"({"match_id":"m1","bot_id":8}],"match_id":"m\u0031","bot_id":7})");
}

TEST_CASE("a field that the first message lacks is null, also where a later one has it") {
    group g;
    g.count = 2;
    g.messages = R"({"match_id":1},{"match_id":1,"bot_id":8})";
    payload_reader reader;
    CHECK(render_group(bot_events(), g, reader) ==
          R"({"type":"grouped","count":2,"messages":[{"match_id":1},{"match_id":1,"bot_id":8}],"match_id":1,)"
          R"("bot_id":null})");
}

TEST_CASE("names of fields and types are written as JSON strings") {
    route r;
    r.type = "a\"b";
    r.fields = {{"c\\d\n", ""}};
    group g;
    g.count = 1;
    g.messages = "5";
    payload_reader reader;
    CHECK(render_group(r, g, reader) == R"({"type":"a\"b","count":1,"messages":[5],"c\\d\u000a":5})");
}

TEST_CASE("a delayed match names the bot, the user and its time") {
    CHECK(delayed_text(new_match(), R"({"id": "m1","user1_id":"u9","user2_id":"bot-1"})") ==
          R"({"type":"initiation","match_id":"m1","bot_id":"bot-1","user_id":"u9",)"
          R"("scheduled_for":"2026-11-21T03:02:11.500000+00:00",)"
          R"("match":{"id": "m1","user1_id":"u9","user2_id":"bot-1"}})");
}

TEST_CASE("a delayed event of a route without participants has its fields only") {
    auto r = new_match();
    r.participants.clear();
    CHECK(delayed_text(r, "{}") == R"({"type":"initiation","match_id":null,)"
                                   R"("scheduled_for":"2026-11-21T03:02:11.500000+00:00","match":{}})");
}

TEST_CASE("a delayed match without a bot has none") {
    CHECK(delayed_text(new_match(), R"({"id":1,"user1_id":"u1","user2_id":"u2"})").find(R"("bot_id":null)") !=
          std::string::npos);
}

TEST_CASE("the bot is the participant whose id is one of the route's") {
    const auto r = new_match();
    CHECK(pair(r, R"({"user1_id":"bot-1","user2_id":"u"})") == R"("bot-1"|"u")");
    CHECK(pair(r, R"({"user1_id":"u","user2_id":"bot-1"})") == R"("bot-1"|"u")");
    CHECK(pair(r, R"({"user1_id":7,"user2_id":42})") == "42|7");
    CHECK(pair(r, R"({"user1_id":"u","user2_id":"bot\u002d1"})") == R"("bot\u002d1"|"u")");
    CHECK(pair(r, R"({"user1_id":"a","user2_id":"b"})") == R"(|"a")");
    CHECK(pair(r, R"({"user2_id":"bot-1"})") == R"("bot-1"|null)");
    CHECK(pair(r, "{}") == "|null");
}

TEST_CASE("null is never a bot, even if a bot were called so") {
    auto r = new_match();
    r.bot_ids = {"null"};
    CHECK(pair(r, R"({"user1_id":null,"user2_id":"u"})") == "|null");
}

TEST_CASE("without known bots the event's own words count, then the order of the participants") {
    auto r = new_match();
    r.bot_ids.clear();
    CHECK(pair(r, R"({"bot_id":"b","user_id":"u","user1_id":"x","user2_id":"y"})") == R"("b"|"u")");
    CHECK(pair(r, R"({"bot_id":"b","user1_id":"x","user2_id":"y"})") == R"("x"|"y")");
}
