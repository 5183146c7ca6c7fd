#include "event/time.hpp"

#include <doctest/doctest.h>

#include <string>

#include "unit/event/seed.hpp"

using namespace postrider::event;

namespace {

std::string again(std::string_view text) {
    const auto t = parse_time(text);
    return t ? format_time(*t) : std::string("none");
}

}  // namespace

TEST_CASE("times are read as Postgres and its clients write them") {
    CHECK(again("2026-11-21T03:02:11.123456+00:00") == "2026-11-21T03:02:11.123456+00:00");
    CHECK(again("2026-11-21 03:02:11.123456+00") == "2026-11-21T03:02:11.123456+00:00");
    CHECK(again("2026-11-21T03:02:11Z") == "2026-11-21T03:02:11.000000+00:00");
    CHECK(again("2026-11-21T03:02:11z") == "2026-11-21T03:02:11.000000+00:00");
    CHECK(again("2026-11-21t03:02:11") == "2026-11-21T03:02:11.000000+00:00");
    CHECK(again("2026-11-21T03:02:11.5Z") == "2026-11-21T03:02:11.500000+00:00");
    CHECK(again("2026-11-21T03:02:11.000001Z") == "2026-11-21T03:02:11.000001+00:00");
    CHECK(again("2026-11-21T03:02:11.123456789Z") == "2026-11-21T03:02:11.123456+00:00");
    CHECK(again("2026-11-21T03:02:11.1234569") == "2026-11-21T03:02:11.123456+00:00");
    CHECK(again("2026-11-21T03:02:11+02") == "2026-11-21T01:02:11.000000+00:00");
    CHECK(again("2026-11-21T03:02:11-0530") == "2026-11-21T08:32:11.000000+00:00");
    CHECK(again("2026-11-21T03:02:11+05:45") == "2026-11-20T21:17:11.000000+00:00");
    CHECK(again("2024-02-29T23:59:60Z") == "2024-03-01T00:00:00.000000+00:00");
    CHECK(again("1969-12-31T23:59:59.9Z") == "1969-12-31T23:59:59.900000+00:00");
    CHECK(again("1678-01-01T00:00:00Z") == "1678-01-01T00:00:00.000000+00:00");
    CHECK(again("2261-12-31T23:59:59Z") == "2261-12-31T23:59:59.000000+00:00");
}

TEST_CASE("the epoch is zero") {
    const auto epoch = parse_time("1970-01-01T00:00:00Z");
    REQUIRE(epoch);
    CHECK(epoch->time_since_epoch().count() == 0);
    CHECK(format_time(*epoch - std::chrono::nanoseconds(1)) == "1969-12-31T23:59:59.999999+00:00");
    CHECK(format_time({}) == "1970-01-01T00:00:00.000000+00:00");
}

TEST_CASE("what is not a time is turned away") {
    for (const std::string_view text : {"",
                                        "2026",
                                        "2026-11-21",
                                        "2026-11-21T03:02",
                                        "2026-11-21T03:02:11.",
                                        "2026-11-21T03:02:11.1234567890",
                                        "2026-13-21T03:02:11",
                                        "2026-00-21T03:02:11",
                                        "2026-02-29T03:02:11",
                                        "2026-11-31T03:02:11",
                                        "2026-11-00T03:02:11",
                                        "2026-11-21T24:00:00",
                                        "2026-11-21T03:60:11",
                                        "2026-11-21T03:02:61",
                                        "2026-11-21T03:02:11+",
                                        "2026-11-21T03:02:11+2",
                                        "2026-11-21T03:02:11+24",
                                        "2026-11-21T03:02:11+02:",
                                        "2026-11-21T03:02:11+02:60",
                                        "2026-11-21T03:02:11+020",
                                        "2026-11-21T03:02:11+02:000",
                                        "2026-11-21T03:02:11Zx",
                                        " 2026-11-21T03:02:11",
                                        "2026-11-21T03:02:11 ",
                                        "2026-11-21_03:02:11",
                                        "20261121T030211",
                                        "+2026-11-21T03:02:11",
                                        "infinity",
                                        "9999-12-31T23:59:59Z",
                                        "1677-01-01T00:00:00Z",
                                        "2262-01-01T00:00:00Z",
                                        "2026-11-21T03:02:1\xC2\xB2"}) {
        CAPTURE(text);
        CHECK_FALSE(parse_time(text));
    }
}

TEST_CASE("what is written is read back, to the microsecond") {
    std::mt19937_64 dice(postrider::test::random_seed());
    for (int i = 0; i < 20'000; ++i) {
        // 1970 to 2200.
        const std::chrono::microseconds since(dice() % 7'258'118'400'000'000U);
        const std::chrono::system_clock::time_point t(since);
        const auto text = format_time(t);
        REQUIRE(text.size() == 32);
        REQUIRE(parse_time(text) == t);
    }
}
