#pragma once

#include <algorithm>
#include <string_view>
#include <vector>

#include "event/route.hpp"

namespace postrider::service {

// Where several routes read one channel, an event that one of them turned away comes again for that one
// alone: its name is notified on this channel right before the event, in the same transaction.
inline constexpr std::string_view replay_channel = "postrider_replay";

// Whether another route reads the channel of `r` too.
inline bool shares_channel(const std::vector<event::route>& routes, const event::route& r) {
    return std::count_if(routes.begin(), routes.end(),
                         [&](const event::route& other) { return other.channel == r.channel; }) > 1;
}

}  // namespace postrider::service
