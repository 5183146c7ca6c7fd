#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace postrider::redis {

// Something that leaves: a group, a delayed event, a single event.
struct delivery {
    std::uint32_t route = 0;  // index into the configuration's routes
    float waited = 0;         // seconds from `arrived` until it left: what it waited by design
    std::string body;         // exactly what the target gets
    std::string key;          // for the log, and for the place of a group
    std::string saved_as;     // the Redis key that holds it until it is pushed; empty: none
    // Ids to remember with the push, each with its event's time in milliseconds since 1970. Without a set for
    // them: the numbers of a group's events among those of its route, and no ids.
    std::vector<std::pair<std::int64_t, std::string>> seen;
    std::string seen_in;         // the set that remembers them; empty: none
    std::uint64_t number = 0;    // of its last event among those of its route; 0: not counted
    std::uint32_t messages = 1;  // events inside
    std::uint32_t group = 0;     // its serial, for the log, where it wraps; 0: no group
    // When its first event arrived; of a delayed one, when it was due.
    std::chrono::steady_clock::time_point arrived{};
};

}  // namespace postrider::redis
