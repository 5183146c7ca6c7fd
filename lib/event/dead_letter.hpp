#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "event/route.hpp"

namespace postrider::event {

// What could not be delivered, with all it takes to send it again.
struct dead_letter {
    using wall_time = std::chrono::system_clock::time_point;

    enum class origin {
        event,  // turned away before it joined anything: not JSON, no key …
        push,   // refused by Redis for good: a group, a delayed event, a single one
    };

    dead_letter::origin kind = origin::event;
    std::string token;  // unique: a write or a replay that is tried again is recognised by it
    std::string route;
    std::string channel;  // that the event came on
    std::string key;
    std::string payload;  // the event as it came, or the body exactly as the target gets it
    event::target target;
    std::string saved_as;  // the key in Redis that a refused push still stands under; empty: none
    // Ids to remember with the push, each with its event's time in milliseconds since 1970, and the set.
    std::vector<std::pair<std::int64_t, std::string>> seen;
    std::string seen_in;
    std::string reason;          // one word: "not_json", "WRONGTYPE" …
    std::string error;           // the sentence for people
    std::uint64_t attempts = 1;  // how often it came, or was tried
    wall_time first{};
    wall_time last{};

    // About how much memory it holds.
    std::size_t bytes() const;
};

// "event" or "push".
std::string_view name(dead_letter::origin kind);

// The same event for the same reason: it came again.
bool same_event(const dead_letter& a, const dead_letter& b);

// Which letters are meant; what is not set does not matter.
struct letter_filter {
    std::string route = {};
    std::string reason = {};
    std::vector<std::int64_t> ids = {};
    std::optional<std::chrono::milliseconds> older_than = {};  // since it came last
    std::optional<std::chrono::milliseconds> newer_than = {};

    bool empty() const;
    // All but the ids, which belong to where the letter is kept.
    bool matches(const dead_letter& l, dead_letter::wall_time now) const;
};

}  // namespace postrider::event
