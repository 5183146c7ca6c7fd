#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace postrider::event {

// Reads an ISO 8601 date and time as Postgres and its clients write it: 'T' or a space between date and time,
// up to nine digits of fraction (cut to microseconds), 'Z', "+hh", "+hhmm" or "+hh:mm"; without a zone: UTC.
std::optional<std::chrono::system_clock::time_point> parse_time(std::string_view text);

// Always 32 characters: "2026-11-21T03:02:11.123456+00:00".
std::string format_time(std::chrono::system_clock::time_point t);

}  // namespace postrider::event
