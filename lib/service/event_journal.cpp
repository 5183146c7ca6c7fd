#include "service/event_journal.hpp"

#include "core/log_event.hpp"
#include "core/redact.hpp"
#include "core/token.hpp"

namespace postrider::service {

event_journal::event_journal() : instance_(core::random_token().substr(0, 6)) {}

void event_journal::tell_taken(const lane& l, std::string_view key, std::uint64_t group) const {
    if (!core::shows(spdlog::level::debug)) return;
    if (group == 0)
        core::log_event(spdlog::level::debug, "event taken", {{"route", l.route.name}, {"key", key}});
    else
        core::log_event(spdlog::level::debug, "event taken",
                        {{"route", l.route.name}, {"key", key}, {"group", group_id(group)}});
}

void event_journal::tell_pushed(const lane& l, const redis::delivery& d) const {
    const bool is_group = l.route.policy == event::policy::group;
    const auto level = is_group ? spdlog::level::info : spdlog::level::debug;
    if (!core::shows(level)) return;
    const auto& to = l.route.target.name;
    if (is_group)
        core::log_event(level, "group pushed",
                        {{"route", l.route.name},
                         {"key", d.key},
                         {"group", group_id(d.group)},
                         {"messages", d.messages},
                         {"to", to}});
    else
        core::log_event(level, "event pushed", {{"route", l.route.name}, {"key", d.key}, {"to", to}});
}

std::string event_journal::group_id(std::uint64_t serial) const {
    return instance_ + '-' + std::to_string(static_cast<std::uint32_t>(serial));
}

void event_journal::remember(const std::string& words) {
    mishap_ = mishap{core::redact(words), core::wall::now()};
}

}  // namespace postrider::service
