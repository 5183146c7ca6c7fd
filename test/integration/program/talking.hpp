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

// The next message of one of 25 conversations, in turn.
std::string next_message(chat& talk);

// Sends one on the channel "chat" every 15 ms until `enough`, which is asked all the while; fails the test
// when that takes more than two minutes.
void keep_talking(support::sql& database, chat& talk, const std::function<bool()>& enough);

// The same until so many more are sent.
void keep_talking(support::sql& database, chat& talk, std::size_t more);

}  // namespace postrider::test
