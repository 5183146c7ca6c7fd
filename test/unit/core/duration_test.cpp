#include "core/duration.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace postrider::core;
using namespace std::chrono_literals;

namespace {

void means(std::string_view text, milliseconds expected) {
    CAPTURE(text);
    const auto read = parse_duration(text);
    REQUIRE_MESSAGE(read.has_value(), read.error().message);
    CHECK(read->count() == expected.count());
}

void fails(std::string_view text, std::string_view words) {
    CAPTURE(text);
    const auto read = parse_duration(text);
    REQUIRE(read.has_error());
    CHECK(read.error().code == errc::invalid_input);
    CHECK(read.error().message == words);
}

constexpr std::string_view not_one = "not a duration; write for example 15, 15s, 250ms or 2m";

}  // namespace

TEST_CASE("a duration's unit says what its number counts") {
    means("15", 15s);
    means("0", 0s);
    means("15s", 15s);
    means("250ms", 250ms);
    means("2m", 2min);
    means("2min", 2min);
    means("1h", 1h);
    means("3d", 72h);
    means(" 15 s ", 15s);
    means("007s", 7s);
}

TEST_CASE("a duration may have a fraction, and what is not zero stays so") {
    means("1.5s", 1500ms);
    means("1.5", 1500ms);
    means("15.0", 15s);
    means("0.25h", 15min);
    means("0.0001s", 1ms);
    means("0.1ms", 1ms);
    means("1.00000000001ms", 2ms);
    means("1.000000000000ms", 1ms);
}

TEST_CASE("a bare number counts in the unit its caller names") {
    CHECK(parse_duration("15", 1min).value() == 15min);
    CHECK(parse_duration("1.5", 1min).value() == 90s);
    CHECK(parse_duration("15s", 1min).value() == 15s);
    CHECK(parse_duration("7", 1ms).value() == 7ms);
    CHECK(parse_duration("x", 1min).error().message ==
          "not a duration; write for example 15 (minutes), 90s, 2m or 1h");
}

TEST_CASE("what is no duration is said to be none") {
    for (const auto* text :
         {"",    " ",    "abc", "s",   "-1",         "+1",  "-5s",  "1e3", "1.",  ".5", "1.s",
          "1,5", "1..5", "1 5", "15x", "15 seconds", "15S", "0x10", "inf", "nan", "1ss"}) {
        fails(text, not_one);
    }
    fails(std::string("15\0s", 4), not_one);
}

TEST_CASE("ten years are the longest duration, however it is written") {
    means("3650d", longest_duration);
    means("315360000s", longest_duration);
    means("315360000000ms", longest_duration);
    for (const auto* text : {"3651d", "315360001", "315360000.001", "315360000001ms", "99999999999999999999",
                             "9223372036854775807d", "18446744073709551617ms"}) {
        fails(text, "longer than 10 years; write a shorter duration");
    }
    means(std::string(1000, '0') + "1s", 1s);
    fails(std::string(100'000, '9'), "longer than 10 years; write a shorter duration");
}

TEST_CASE("people read a duration in its two largest units") {
    CHECK(format_duration(0ms) == "0 ms");
    CHECK(format_duration(250ms) == "250 ms");
    CHECK(format_duration(999ms) == "999 ms");
    CHECK(format_duration(1s) == "1 s");
    CHECK(format_duration(12'345ms) == "12.3 s");
    CHECK(format_duration(59'999ms) == "59.9 s");
    CHECK(format_duration(60s) == "1 min");
    CHECK(format_duration(125s) == "2 min 5 s");
    CHECK(format_duration(3599s) == "59 min 59 s");
    CHECK(format_duration(1h) == "1 h");
    CHECK(format_duration(65min) == "1 h 5 min");
    CHECK(format_duration(24h) == "1 d");
    CHECK(format_duration(76h) == "3 d 4 h");
    CHECK(format_duration(-1500ms) == "-1.5 s");
}
