#include "event/context.hpp"

#include <doctest/doctest.h>

#include <limits>
#include <string>
#include <vector>

#include "event/time.hpp"

namespace {

using namespace postrider::event;

const auto opened = *parse_time("2026-11-21T03:02:09.000001Z");
const auto last = *parse_time("2026-11-21T03:02:11.123456Z");

std::string wrong(std::string_view text) {
    const auto saved = parse_context(text);
    return saved ? "accepted" : saved.error();
}

}  // namespace

TEST_CASE("a context's head is written as the workers read it") {
    CHECK(
        context_head("bot_events", 2, opened, last, 17) ==
        R"({"route":"bot_events","last_message_at":"2026-11-21T03:02:11.123456+00:00","rapid_count":         2,)"
        R"("timer_started":"2026-11-21T03:02:09.000001+00:00","position":                  17,"messages":[)");
}

TEST_CASE("a context's head has one length for a route, whatever the count and the times") {
    const auto length = context_head("r", 1, opened, last, 0).size();
    for (const auto count : {0U, 9U, 10U, 1'000U, std::numeric_limits<std::uint32_t>::max()}) {
        CHECK(context_head("r", count, last, last, 1).size() == length);
        CHECK(context_head("r", count, {}, {}, std::numeric_limits<std::uint64_t>::max()).size() == length);
    }
}

TEST_CASE("a context is read back as it was written") {
    const std::string messages = R"({"a":"],[\"{"},"x, y",[1,2] )";
    const std::string route = "odd \"name\"\\\n\xC3\xA9";
    const auto text = context_head(route, 3, opened, last, 42) + messages + std::string(context_tail);
    const auto saved = parse_context(text);
    REQUIRE(saved.has_value());
    CHECK(saved->route == route);
    CHECK(saved->messages == R"({"a":"],[\"{"},"x, y",[1,2])");
    CHECK(saved->count == 3);
    CHECK(saved->position == 42);
    CHECK(saved->opened == opened);
    CHECK(saved->last == last);
}

TEST_CASE("a new head over the old one and messages behind the old ones give the new context") {
    auto text = context_head("r", 1, opened, opened, 0) + "1" + std::string(context_tail);
    const auto saved_bytes = context_head("r", 1, opened, opened, 0).size() + 1;
    const auto head = context_head("r", 12, opened, last, 0);
    text.replace(0, head.size(), head);
    text.resize(saved_bytes);
    text += ",2,3,4,5,6,7,8,9,10,11,12" + std::string(context_tail);
    const auto saved = parse_context(text);
    REQUIRE(saved.has_value());
    CHECK(saved->messages == "1,2,3,4,5,6,7,8,9,10,11,12");
    CHECK(saved->count == 12);
    CHECK(saved->last == last);
}

TEST_CASE("the Python bridge's context is adopted, its messages without the blanks between them") {
    const auto saved =
        parse_context(R"({"last_message_at": "2026-11-21T03:02:11.123456", "rapid_count": 2, )"
                      R"("messages": [{"id": 1, "t": "a, b"}, {"id": 2}], "timer_started": true})");
    REQUIRE(saved.has_value());
    CHECK(saved->route.empty());
    CHECK(saved->messages == R"({"id": 1, "t": "a, b"},{"id": 2})");
    CHECK(saved->count == 2);
    CHECK(saved->last == last);
    CHECK(saved->opened == last);
}

TEST_CASE("a context is never opened after its last message") {
    const auto saved = parse_context(context_head("r", 1, last, opened, 0) + "1]}");
    REQUIRE(saved.has_value());
    CHECK(saved->opened == opened);
    CHECK(saved->last == opened);
}

TEST_CASE("what is wrong with a context is said in a sentence") {
    CHECK(wrong("") == "the saved context is not a JSON object");
    CHECK(wrong("[1]") == "the saved context is not a JSON object");
    CHECK(wrong(context_head("r", 1, opened, last, 0) + "1") == "the saved context is not a JSON object");
    CHECK(wrong(R"({"last_message_at":"2026-11-21T03:02:11"})") ==
          "the saved context has no list \"messages\"");
    CHECK(wrong(R"({"messages":{},"last_message_at":"2026-11-21T03:02:11"})") ==
          "the saved context has no list \"messages\"");
    CHECK(wrong(R"({"messages":[ ],"last_message_at":"2026-11-21T03:02:11"})") ==
          "the saved context's list \"messages\" is empty");
    CHECK(wrong(R"({"messages":[1],"last_message_at":5})") ==
          "the saved context's \"last_message_at\" is not a time");
    CHECK(wrong(R"({"messages":[1]})") == "the saved context's \"last_message_at\" is not a time");
}

TEST_CASE("joined messages are split where they end and nowhere else") {
    using list = std::vector<std::string_view>;
    CHECK(split_messages("") == list{});
    CHECK(split_messages("{}") == list{"{}"});
    CHECK(split_messages("1,\"a\",null") == list{"1", "\"a\"", "null"});
    CHECK(split_messages(R"({"a":"},{"},["]",","],"\"," , "\\",{"b":[{}]})") ==
          list{R"({"a":"},{"})", R"(["]",","])", R"("\",")", R"("\\")", R"({"b":[{}]})"});
}

TEST_CASE("a delayed event is written for the workers and read back as it was") {
    delayed d;
    d.key = "m\"1";
    d.id = "17";
    d.payload = R"({"id": "m1" ,"x":[1]})";
    d.scheduled_for = last;
    const auto text = save_delayed("new_match", d);
    CHECK(text ==
          R"({"route":"new_match","scheduled_for":"2026-11-21T03:02:11.123456+00:00","position":0,"id":"17",)"
          R"("key":"m\"1","event":{"id": "m1" ,"x":[1]}})");
    const auto saved = parse_delayed(text);
    REQUIRE(saved.has_value());
    CHECK(saved->route == "new_match");
    CHECK(saved->key == d.key);
    CHECK(saved->id == d.id);
    CHECK(saved->payload == d.payload);
    CHECK(saved->scheduled_for == last);
}

TEST_CASE("what is wrong with a saved delay is said in a sentence") {
    const auto says = [](std::string_view text) { return parse_delayed(text).error(); };
    CHECK(says("{") == "the saved delay is not a JSON object");
    CHECK(says("{}") == "the saved delay has no \"route\"");
    CHECK(says(R"({"route":"r"})") == "the saved delay has no \"key\"");
    CHECK(says(R"({"route":"r","key":""})") == "the saved delay has no \"key\"");
    CHECK(says(R"({"route":"r","key":"k"})") == "the saved delay has no \"event\"");
    CHECK(says(R"({"route":"r","key":"k","event":{}})") ==
          "the saved delay's \"scheduled_for\" is not a time");
}
