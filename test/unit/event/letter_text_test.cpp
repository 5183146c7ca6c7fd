#include "event/letter_text.hpp"

#include <doctest/doctest.h>

#include "event/time.hpp"

using namespace postrider::event;

namespace {

saved_letter refused_group() {
    saved_letter saved;
    saved.position = 17;
    auto& l = saved.letter;
    l.kind = dead_letter::origin::push;
    l.route = "odd \"name\"\\";
    l.key = "k\n1";
    l.payload = "{\"messages\":[{\"text\":\"\xC3\xA9\"}]}";
    l.reason = "WRONGTYPE";
    l.error = "WRONGTYPE Operation against a key";
    l.attempts = 3;
    l.first = l.last = *parse_time("2026-11-21T03:02:09.000001Z");
    l.seen_in = "postrider:{out}:seen:r";
    l.seen = {{1'795'000'000'000, "a"}, {-1, "b,\"c\""}};
    return saved;
}

std::string wrong(std::string_view text) {
    const auto saved = parse_letter(text);
    return saved ? "accepted" : saved.error();
}

}  // namespace

TEST_CASE("a letter is read back from Redis as it was written") {
    const auto written = refused_group();
    const auto read = parse_letter(save_letter(written));
    REQUIRE(read.has_value());
    CHECK(read->position == 17);
    const auto& l = read->letter;
    CHECK(l.kind == dead_letter::origin::push);
    CHECK(l.route == written.letter.route);
    CHECK(l.key == written.letter.key);
    CHECK(l.payload == written.letter.payload);
    CHECK(l.reason == "WRONGTYPE");
    CHECK(l.error == written.letter.error);
    CHECK(l.attempts == 3);
    CHECK(l.first == written.letter.first);
    CHECK(l.last == written.letter.first);
    CHECK(l.seen_in == written.letter.seen_in);
    CHECK(l.seen == written.letter.seen);
}

TEST_CASE("a letter without ids is read back without") {
    auto written = refused_group();
    written.letter.seen.clear();
    const auto read = parse_letter(save_letter(written));
    REQUIRE(read.has_value());
    CHECK(read->letter.seen.empty());
}

TEST_CASE("what is no letter is told") {
    CHECK(wrong("") == "the saved letter is not a JSON object");
    CHECK(wrong("[]") == "the saved letter is not a JSON object");
    CHECK(wrong(R"({"payload":1})") == "the saved letter has no \"payload\"");
    CHECK(wrong(R"({"payload":"x","refused":"soon"})") == "the saved letter's \"refused\" is not a time");
    CHECK(wrong(R"({"payload":"x","refused":"2026-11-21T03:02:09Z","seen":1})") ==
          "the saved letter's \"seen\" is not a list");
}
