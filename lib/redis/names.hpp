#pragma once

#include <string>
#include <string_view>

#include "event/route.hpp"
#include "redis/slot.hpp"

namespace postrider::redis {

// The keys that Postrider keeps in Redis, all in one place.

// In a cluster, what is saved of a route must share the slot of its target, so it carries the target's tag:
// "{bot_messages}:". Elsewhere there is none, and the names are those that the Python bridge knows.
inline std::string slot_tag(std::string_view target, bool in_cluster) {
    if (!in_cluster) return {};
    return std::string("{").append(hash_tag(target)).append("}:");
}

// An open group. The built-in route's contexts stand where the Python bridge has them.
inline std::string context_name(std::string_view tag, std::string_view route, std::string_view key) {
    if (route == "bot_events") return std::string("context:").append(tag).append(key);
    return std::string("context@").append(tag).append(route).append(":").append(key);
}
inline constexpr std::string_view context_pattern = "context[:@]*";

// A delayed event; the token is unique across processes.
inline std::string delay_name(std::string_view tag, std::string_view route, std::string_view token) {
    return std::string("postrider:delay:").append(tag).append(route).append(":").append(token);
}
inline constexpr std::string_view delay_pattern = "postrider:delay:*";

// Everything about a target carries its name as the hash tag, so that it shares the target's cluster slot; of
// a name that has a tag of its own, that tag.
inline std::string target_key(std::string_view target, std::string_view what) {
    const auto tag = hash_tag(target);
    if (tag.empty() || tag == target)
        return std::string("postrider:{").append(target).append("}:").append(what);
    return std::string("postrider:{").append(tag).append("}:").append(target).append(":").append(what);
}

// What guards the pushes to a target. A channel may have the name of a list or stream, and is a target of its
// own, with its own writer.
inline std::string guard_name(const event::target& to, std::string_view what) {
    auto name = target_key(to.name, what);
    if (to.kind == event::target_kind::pubsub) name.append(":channel");
    return name;
}

// The last batch that this writer delivered.
inline std::string ledger_name(const event::target& to, std::string_view writer) {
    return guard_name(to, "ledger").append(":").append(writer);
}

// The number of the last writer that has claimed the target.
inline std::string epoch_name(const event::target& to) {
    return guard_name(to, "epoch");
}

// The epoch that this writer has raised last by itself.
inline std::string renewed_name(const event::target& to, std::string_view writer) {
    return guard_name(to, "renewed").append(":").append(writer);
}

// Up to which event all that a route has heard is delivered or saved, and what it has delivered behind that.
inline std::string place_name(std::string_view target, std::string_view route) {
    return target_key(target, "place:").append(route);
}
inline std::string behind_name(std::string_view target, std::string_view route) {
    return target_key(target, "behind:").append(route);
}

// What is written beside a push so that WAIT has something to wait for, also where the push was done before.
inline std::string written_name(const event::target& to) {
    return guard_name(to, "written");
}

// A dead letter that was pushed again.
inline std::string replay_ledger_name(std::string_view target, std::string_view token) {
    return target_key(target, "ledger:replay:").append(token);
}

// The ids a route has delivered lately, and the time up to which it has caught up.
inline std::string seen_name(std::string_view target, std::string_view route) {
    return target_key(target, "seen:").append(route);
}
inline std::string caught_up_name(std::string_view target, std::string_view route) {
    return target_key(target, "caught_up:").append(route);
}

}  // namespace postrider::redis
