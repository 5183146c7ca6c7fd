#pragma once

#include <boost/system/result.hpp>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "event/delays.hpp"
#include "event/grouper.hpp"
#include "event/payload.hpp"

namespace postrider::event {

// An open group as it stands in Redis under context:{key}, readable for the Python workers:
//   {"route":"bot_events","last_message_at":"2026-11-21T03:02:11.123456+00:00","rapid_count":         2,
//    "timer_started":"2026-11-21T03:02:09.000001+00:00","position":                  17,"messages":[…,…]}
// (on one line). The position is the number of the last message among the events of its route.
// The head has the same length for the same route, however large the count, so that a change writes the head
// over the old one and appends the new messages instead of writing everything again.
inline constexpr std::string_view context_tail = "]}";

// Everything before the first message. `opened` and `last` as wall-clock times.
std::string context_head(std::string_view route_name, std::uint32_t count, wall_time opened, wall_time last,
                         std::uint64_t position);

struct saved_context {
    std::string route;           // empty: written by the Python bridge
    std::string messages;        // joined by ',', byte for byte
    std::uint64_t position = 0;  // 0: not known
    std::uint32_t count = 0;
    wall_time opened{};
    wall_time last{};
};

// Reads a context back, our own or the Python bridge's (there timer_started is true and last_message_at
// local, so opened is taken to be last; a time without a zone is read as UTC). The count is that of the
// messages, and opened is never after last; both may lie in the future of this machine's clock. An error is a
// sentence that says what is wrong with it.
boost::system::result<saved_context, std::string> parse_context(std::string_view text);

// The single messages of a joined list (valid JSON values separated by ','), byte for byte.
std::vector<std::string_view> split_messages(std::string_view joined);

// A delayed event as it stands in Redis:
//   {"route":…,"scheduled_for":"…","position":17,"id":…,"key":…,"event":<payload>}
std::string save_delayed(std::string_view route_name, const delayed& d);
struct saved_delay {
    std::string route;
    std::string key;
    std::string id;
    std::string payload;
    std::uint64_t position = 0;  // 0: not known
    wall_time scheduled_for{};
};
boost::system::result<saved_delay, std::string> parse_delayed(std::string_view text);

}  // namespace postrider::event
