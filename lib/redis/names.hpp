#pragma once

#include <string>
#include <string_view>

namespace postrider::redis {

// The keys that Postrider keeps in Redis, all in one place.

// An open group. The built-in route's contexts stand where the Python bridge has them.
inline std::string context_name(std::string_view route, std::string_view key) {
    if (route == "bot_events") return std::string("context:").append(key);
    return std::string("context@").append(route).append(":").append(key);
}
inline constexpr std::string_view context_pattern = "context[:@]*";

// A delayed event; the token is unique across processes.
inline std::string delay_name(std::string_view route, std::string_view token) {
    return std::string("postrider:delay:").append(route).append(":").append(token);
}
inline constexpr std::string_view delay_pattern = "postrider:delay:*";

// Everything about a target carries its name as the hash tag, so that it shares the target's cluster slot.
inline std::string target_key(std::string_view target, std::string_view what) {
    return std::string("postrider:{").append(target).append("}:").append(what);
}

// The last batch that this writer delivered.
inline std::string ledger_name(std::string_view target, std::string_view writer) {
    return target_key(target, "ledger:").append(writer);
}

// The ids a route has delivered lately, and the time up to which it has caught up.
inline std::string seen_name(std::string_view target, std::string_view route) {
    return target_key(target, "seen:").append(route);
}
inline std::string caught_up_name(std::string_view target, std::string_view route) {
    return target_key(target, "caught_up:").append(route);
}

}  // namespace postrider::redis
