#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "core/clock.hpp"

namespace postrider::redis {

// Something that leaves: a group, a delayed event, a single event.
struct delivery {
    std::size_t route = 0;  // index into the configuration's routes
    std::string body;       // exactly what the target gets
    std::string key;        // for the log
    std::string saved_as;   // the Redis key that holds it until it is pushed; empty: none
    // Ids to remember with the push, each with its event's time in milliseconds since 1970.
    std::vector<std::pair<std::int64_t, std::string>> seen;
    std::string seen_in;         // the set that remembers them; empty: none
    std::uint32_t messages = 1;  // events inside
    core::steady::time_point ready{};
};

}  // namespace postrider::redis
