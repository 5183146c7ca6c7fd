#include "http/timestamp.hpp"

#include <doctest/doctest.h>

using namespace std::chrono_literals;
using namespace postrider;

namespace {
core::wall::time_point at(int year, unsigned month, unsigned day, core::milliseconds of_day) {
    const std::chrono::sys_days date =
        std::chrono::year(year) / std::chrono::month(month) / std::chrono::day(day);
    return date + of_day;
}
}  // namespace

TEST_CASE("an ISO time is in UTC, with milliseconds and Z") {
    CHECK(http::iso_timestamp(at(2026, 11, 21, 3h + 2min + 11s + 123ms)) == "2026-11-21T03:02:11.123Z");
    CHECK(http::iso_timestamp(at(2024, 2, 29, 23h + 59min + 59s + 999ms)) == "2024-02-29T23:59:59.999Z");
    CHECK(http::iso_timestamp(core::wall::time_point{}) == "1970-01-01T00:00:00.000Z");
}

TEST_CASE("a time before 1970 is floored, not turned around") {
    CHECK(http::iso_timestamp(core::wall::time_point{} - 1ms) == "1969-12-31T23:59:59.999Z");
}

TEST_CASE("a Date header is an IMF-fixdate") {
    CHECK(http::date_header(at(1994, 11, 6, 8h + 49min + 37s + 999ms)) == "Sun, 06 Nov 1994 08:49:37 GMT");
    CHECK(http::date_header(at(2026, 11, 21, 3h + 2min + 11s)) == "Sat, 21 Nov 2026 03:02:11 GMT");
}
