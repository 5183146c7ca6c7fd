#pragma once

#include <string>
#include <string_view>

#include "core/clock.hpp"
#include "core/error.hpp"

namespace postrider::core {

// Ten years: longer waits are slips of the keyboard, and sums of a few of them cannot overflow.
inline constexpr milliseconds longest_duration{10LL * 365 * 24 * 3600 * 1000};

// Reads "15", "15s", "250ms", "2m" (also "2min"), "1h", "1d" or "1.5s", with or without a space before the
// unit. A number without a unit counts `bare` each. The value lies in [0, longest_duration]; parts of a
// millisecond are rounded up, so that what is not zero stays so. Errors (invalid_input) are words to follow
// the value: "not a duration; write for example …".
result<milliseconds> parse_duration(std::string_view text, milliseconds bare = milliseconds{1'000});

// For people: "250 ms", "12.3 s", "2 min 5 s", "1 h 5 min", "3 d 4 h". Smaller parts are cut off.
std::string format_duration(milliseconds d);

}  // namespace postrider::core
