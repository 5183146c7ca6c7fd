#include "service/open_contexts.hpp"

#include <string>
#include <string_view>

#include "core/clock.hpp"
#include "event/context.hpp"

namespace postrider::service {
namespace {

using core::steady;
using core::wall;

std::string name_in(const lane& l, std::string_view key) {
    return l.keys.context(l.route.name, key);
}

std::string text_of(const lane& l, const event::context_update& group) {
    const auto now = steady::now();
    const auto wall_now = wall::now();
    auto text = event::context_head(l.route.name, group.count, core::to_wall(group.opened, now, wall_now),
                                    core::to_wall(group.last, now, wall_now), group.number);
    return text.append(group.messages).append(event::context_tail);
}

std::size_t count(const std::deque<lane>& lanes) {
    std::size_t n = 0;
    for (const auto& l : lanes)
        n += l.groups.open_groups();
    return n;
}

std::optional<std::string> find(const std::deque<lane>& lanes, std::string_view name) {
    for (const auto& l : lanes) {
        const auto prefix = name_in(l, "");
        if (!name.starts_with(prefix)) continue;
        if (const auto group = l.groups.find(name.substr(prefix.size()))) return text_of(l, *group);
    }
    return std::nullopt;
}

void visit_keys(const std::deque<lane>& lanes, const std::function<bool(std::string)>& visit) {
    bool more = true;
    for (auto l = lanes.begin(); l != lanes.end() && more; ++l)
        l->groups.visit_open([&](std::string_view key) { return more = visit(name_in(*l, key)); });
}

}  // namespace

redis::held_values open_contexts(const std::deque<lane>& lanes, const redis::pusher& carrier) {
    redis::held_values h;
    h.count = [&lanes] { return count(lanes); };
    h.find = [&lanes](std::string_view name) { return find(lanes, name); };
    h.visit_keys = [&lanes](const std::function<bool(std::string)>& visit) { visit_keys(lanes, visit); };
    h.saved_until = [&carrier](steady::time_point now) { return carrier.saved_until(now); };
    h.hindrance = [&carrier] { return carrier.current().save_error; };
    return h;
}

}  // namespace postrider::service
