#include "core/duration.hpp"

#include <fmt/format.h>

#include <array>
#include <cstdint>
#include <optional>

#include "core/ascii.hpp"

namespace postrider::core {

namespace {

constexpr std::int64_t second = 1'000, minute = 60 * second, hour = 60 * minute, day = 24 * hour;

std::string_view trimmed(std::string_view text) {
    const auto first = text.find_first_not_of(" \t");
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

std::optional<std::int64_t> unit_length(std::string_view unit, milliseconds bare) {
    if (unit.empty()) return bare.count();
    if (unit == "ms") return 1;
    if (unit == "s") return second;
    if (unit == "m" || unit == "min") return minute;
    if (unit == "h") return hour;
    if (unit == "d") return day;
    return std::nullopt;
}

// Takes the digits at the front of text.
std::string_view take_digits(std::string_view& text) {
    std::size_t n = 0;
    while (n < text.size() && is_digit(text[n]))
        ++n;
    const auto digits = text.substr(0, n);
    text.remove_prefix(n);
    return digits;
}

failure not_a_duration(milliseconds bare) {
    if (bare.count() == minute) {
        return {errc::invalid_input, "not a duration; write for example 15 (minutes), 90s, 2m or 1h"};
    }
    return {errc::invalid_input, "not a duration; write for example 15, 15s, 250ms or 2m"};
}

failure too_long() {
    return {errc::invalid_input, "longer than 10 years; write a shorter duration"};
}

// The fraction's part of `unit` in milliseconds, rounded up; digits past the ninth only count as "not zero".
std::int64_t fraction_of(std::string_view digits, std::int64_t unit) {
    std::int64_t numerator = 0, denominator = 1;
    bool rest = false;
    for (const char c : digits) {
        if (denominator < 1'000'000'000) {
            numerator = numerator * 10 + (c - '0');
            denominator *= 10;
        } else {
            rest = rest || c != '0';
        }
    }
    const auto product = numerator * unit;
    return product / denominator + (product % denominator != 0 || rest ? 1 : 0);
}

// Two neighbouring units; the smaller one is left out where it is zero.
std::string pair_of(std::int64_t ms, std::int64_t large, const char* large_name, std::int64_t small,
                    const char* small_name) {
    const auto whole = ms / large, rest = ms % large / small;
    if (rest == 0) return fmt::format("{} {}", whole, large_name);
    return fmt::format("{} {} {} {}", whole, large_name, rest, small_name);
}

}  // namespace

result<milliseconds> parse_duration(std::string_view text, milliseconds bare) {
    auto rest = trimmed(text);
    const auto whole = take_digits(rest);
    if (whole.empty()) return not_a_duration(bare);
    std::string_view fraction;
    if (rest.starts_with('.')) {
        rest.remove_prefix(1);
        fraction = take_digits(rest);
        if (fraction.empty()) return not_a_duration(bare);
    }
    const auto unit = unit_length(trimmed(rest), bare);
    if (!unit) return not_a_duration(bare);

    std::int64_t count = 0;
    for (const char c : whole) {
        count = count * 10 + (c - '0');
        if (count > longest_duration.count() / *unit) return too_long();
    }
    const auto ms = count * *unit + fraction_of(fraction, *unit);
    if (ms > longest_duration.count()) return too_long();
    return milliseconds{ms};
}

std::string format_duration(milliseconds d) {
    const auto ms = d.count();
    if (ms < 0) return "-" + format_duration(-d);
    if (ms < second) return fmt::format("{} ms", ms);
    if (ms < minute) {
        const auto tenths = ms % second / 100;
        if (tenths == 0) return fmt::format("{} s", ms / second);
        return fmt::format("{}.{} s", ms / second, tenths);
    }
    if (ms < hour) return pair_of(ms, minute, "min", second, "s");
    if (ms < day) return pair_of(ms, hour, "h", minute, "min");
    return pair_of(ms, day, "d", hour, "h");
}

}  // namespace postrider::core
