#pragma once

#include <functional>
#include <string>

#include "chat.hpp"
#include "support/sql.hpp"

namespace postrider::test {

// The TOML of two routes that the same events of the channel "chat" take: in groups by match_id to the list
// "groups", and each at once to the list "singles". None has an id that would tell it apart from another.
// `sections` stands in front of them.
std::string both_ways(const std::string& window, const std::string& cooldown,
                      const std::string& sections = {});

// The TOML of a route that sends reminders, by their ids, to the list "sent" in an hour, far longer than a
// test: what no answer of the channel "answers", by its field "to", has cancelled still waits at the end.
constexpr const char* reminders_route = R"(
[[route]]
name = "reminder"
channel = "reminders"
policy = "delay"
key = "/id"
min_delay = "1h"
max_delay = "1h"
cancel_on = "answers"
cancel_key = "/to"
to = "sent"
)";

// The next message of one of 25 conversations, in turn.
std::string next_message(chat& talk);

// Sends one on the channel "chat" every 15 ms until `enough`, which is asked all the while; fails the test
// when that takes more than two minutes.
void keep_talking(support::sql& database, chat& talk, const std::function<bool()>& enough);

// The same until so many more are sent.
void keep_talking(support::sql& database, chat& talk, std::size_t more);

}  // namespace postrider::test
