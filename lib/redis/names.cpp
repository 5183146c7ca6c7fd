#include "redis/names.hpp"

#include "redis/slot.hpp"

namespace postrider::redis {
namespace {

// What the bridge's own keys begin with.
std::string own(std::string_view bridge) {
    if (bridge == default_bridge) return "postrider:";
    return std::string("postrider@").append(bridge).append(":");
}

// What its open groups begin with: the default bridge's stand where the Python bridge has them.
std::string before_contexts(std::string_view bridge) {
    return bridge == default_bridge ? std::string() : own(bridge);
}

// "{bot_messages}:", and where the target has a tag of its own, "{tag}:TARGET:".
std::string tagged(std::string_view target) {
    const auto tag = hash_tag(target);
    const bool is_whole = tag.empty() || tag == target;
    auto text = std::string("{").append(is_whole ? target : tag).append("}:");
    if (!is_whole) text.append(target).append(":");
    return text;
}

}  // namespace

target_keys::target_keys(const event::target& to, std::string_view bridge, bool in_cluster)
    : contexts_(before_contexts(bridge)),
      delays_(own(bridge) + "delay:"),
      letters_(own(bridge) + "letter:"),
      beside_(own(bridge) + tagged(to.name)),
      is_channel_(to.kind == event::target_kind::pubsub) {
    if (in_cluster) tag_ = std::string("{").append(hash_tag(to.name)).append("}:");
}

std::string target_keys::context(std::string_view route, std::string_view key) const {
    if (route == "bot_events") return contexts_ + std::string("context:").append(tag_).append(key);
    return contexts_ + std::string("context@").append(tag_).append(route).append(":").append(key);
}

std::string target_keys::delay(std::string_view route, std::string_view token) const {
    return std::string(delays_).append(tag_).append(route).append(":").append(token);
}

std::string target_keys::letter(std::string_view route, std::string_view token) const {
    return std::string(letters_).append(tag_).append(route).append(":").append(token);
}

std::string target_keys::beside(std::string_view what, std::string_view more) const {
    return std::string(beside_).append(what).append(more);
}

std::string target_keys::guard(std::string_view what) const {
    return beside(what, is_channel_ ? ":channel" : "");
}

std::string target_keys::guard(std::string_view what, std::string_view process) const {
    return guard(what).append(":").append(process);
}

std::string context_pattern(std::string_view bridge) {
    return before_contexts(bridge).append("context[:@]*");
}

std::string delay_pattern(std::string_view bridge) {
    return own(bridge).append("delay:*");
}

std::string delay_and_letter_pattern(std::string_view bridge) {
    return own(bridge).append("[dl]e[lt]*:*");
}

std::string replay_ledger_name(const event::target& to, std::string_view token) {
    return own(default_bridge).append(tagged(to.name)).append("ledger:replay:").append(token);
}

}  // namespace postrider::redis
