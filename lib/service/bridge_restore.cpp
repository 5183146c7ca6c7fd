// The bridge's beginning: what an earlier process left in Redis.

#include <algorithm>

#include "core/log_event.hpp"
#include "core/log_line.hpp"
#include "core/log_sink.hpp"
#include "event/context.hpp"
#include "event/time.hpp"
#include "service/bridge.hpp"

namespace postrider::service {

using core::steady;
using core::wall;

asio::awaitable<core::result<void>> bridge::load() {
    auto whose = configuration_.name;
    const auto state = co_await redis::load_state(values_, std::move(whose));
    if (!state) co_return state.error();
    std::vector<redis::saved_place> places;
    for (auto& l : lanes_) {
        auto place = l.keys.place(l.route.name);
        auto behind = l.keys.behind(l.route.name);
        auto saved = co_await redis::load_place(redis_, std::move(place), std::move(behind));
        if (!saved) co_return saved.error();
        l.adopt(*saved);
        places.push_back(std::move(*saved));
    }
    for (const auto i : catch_ups_) {
        auto& l = lanes_[i];
        auto caught_up = l.keys.caught_up(l.route.name);
        auto seen = l.keys.seen(l.route.name);
        const auto saved = co_await redis::load_progress(redis_, std::move(caught_up), std::move(seen));
        if (!saved) co_return saved.error();
        adopt_progress(l, *saved);
        if (!saved->caught_up.empty()) continue;
        const auto noted = co_await note_first_start(l);
        if (!noted) co_return noted.error();
    }
    const auto refused = adopt_letters(state->letters);
    adopt_contexts(state->contexts, refused);
    for (const auto& [name, text] : state->delays)
        adopt_delay(name, text);
    for (std::size_t i = 0; i < lanes_.size(); ++i)
        number_events(lanes_[i], places[i]);
    if (!state->contexts.empty() || !state->delays.empty()) {
        std::uint64_t open = 0;
        for (const auto& l : lanes_)
            open += l.open();
        core::log_info("redis: adopted {} open groups and delayed events of an earlier run", open);
    }
    co_return boost::system::in_place_value;
}

// It stands in Redis before the first event is taken: a kill within the first second must not move it to the
// next start. An error reply is left to the later writes, which tell it.
asio::awaitable<core::result<void>> bridge::note_first_start(const lane& l) {
    const auto name = l.keys.caught_up(l.route.name);
    const auto time = event::format_time(l.floor);
    redis::pipeline p;
    p.add({"SET", name, time + " " + time});
    const auto answered = co_await redis_.execute(std::move(p));
    if (!answered) co_return answered.error();
    co_return boost::system::in_place_value;
}

void bridge::adopt_progress(lane& l, const redis::saved_progress& saved) {
    const std::string_view text = saved.caught_up;
    const auto blank = std::min(text.find(' '), text.size());
    const auto newest = event::parse_time(text.substr(0, blank));
    const auto floor = event::parse_time(text.substr(std::min(blank + 1, text.size())));
    l.floor = floor.value_or(started_);
    l.seen->raise_newest(std::min(newest.value_or(started_), wall::now()));
    for (const auto& [id, ms] : saved.seen)
        l.seen->know(id, wall::time_point(core::milliseconds(static_cast<std::int64_t>(ms))));
}

void bridge::adopt_contexts(const std::vector<std::pair<std::string, std::string>>& saved,
                            const refused_keys& refused) {
    const core::log_together one_write;
    for (const auto& [name, text] : saved)
        adopt_context(name, text, refused);
}

void bridge::adopt_context(const std::string& name, const std::string& text, const refused_keys& refused) {
    const auto saved = event::parse_context(text);
    if (!saved) {
        core::log_warning("redis: {} is no open group, left alone: {}", name, saved.error());
        return;
    }
    // The Python bridge names no route.
    const auto route = find_route(saved->route.empty() ? "bot_events" : saved->route, event::policy::group);
    const auto prefix = route ? lanes_[*route].keys.context(lanes_[*route].route.name, "") : name;
    if (!route || !name.starts_with(prefix)) {
        core::log_warning("redis: {} belongs to the route '{}', which is not configured; left alone", name,
                          saved->route);
        return;
    }
    auto& l = lanes_[*route];
    event::group g;
    g.key = name.substr(prefix.size());
    g.messages = saved->messages;
    g.count = saved->count;
    g.number = saved->position;
    // Its letter stands for it, and the group of its key that was to take its place had not come that far.
    const auto letter = refused.find({*route, g.key});
    if (letter != refused.end() && g.number <= letter->second) return saves(l).drop(name, true);
    l.known->know_key(g.key, g.number);
    // Another machine's clock, or the Python bridge's local time, may put them into the future.
    const auto now = steady::now();
    const auto wall_now = wall::now();
    g.opened = core::to_steady(std::min(saved->opened, wall_now), now, wall_now);
    g.last = core::to_steady(std::min(saved->last, wall_now), now, wall_now);
    if (l.seen)
        for (const auto message : event::split_messages(g.messages)) {
            auto e = reader_.read(l.route, message);
            if (!e) continue;
            l.seen->know(e->id, std::min(e->time.value_or(saved->last), wall_now));
            g.ids.push_back(std::move(e->id));
        }
    else
        g.ids.assign(g.count, std::to_string(g.number));
    const auto key = g.key;
    const auto count = g.count;
    const auto serial = l.groups.adopt(std::move(g));
    core::log_event(
        spdlog::level::info, "an open group of an earlier run is adopted",
        {{"route", l.route.name}, {"key", key}, {"group", journal_.group_id(serial)}, {"messages", count}});
}

void bridge::adopt_delay(const std::string& name, const std::string& text) {
    auto saved = event::parse_delayed(text);
    if (!saved) {
        core::log_warning("redis: {} is no delayed event, left alone: {}", name, saved.error());
        return;
    }
    const auto route = find_route(saved->route, event::policy::delay);
    const auto prefix = route ? lanes_[*route].keys.delay(saved->route, "") : name;
    if (!route || !name.starts_with(prefix)) {
        core::log_warning("redis: {} belongs to the route '{}', which is not configured; left alone", name,
                          saved->route);
        return;
    }
    auto& l = lanes_[*route];
    if (l.seen) {
        const auto e = reader_.read(l.route, saved->payload);
        l.seen->know(saved->id, e ? std::min(e->time.value_or(started_), wall::now()) : started_);
    }
    event::delayed d;
    d.key = std::move(saved->key);
    d.id = std::move(saved->id);
    d.payload = std::move(saved->payload);
    d.token = name.substr(prefix.size());
    d.number = saved->position;
    if (d.number != 0) l.known->know_one(d.number);
    d.scheduled_for = saved->scheduled_for;
    d.due = core::to_steady(d.scheduled_for, steady::now(), wall::now());
    l.waiting.add(std::move(d));
}

std::optional<std::size_t> bridge::find_route(std::string_view name) const {
    const auto at =
        std::find_if(lanes_.begin(), lanes_.end(), [&](const lane& l) { return l.route.name == name; });
    if (at == lanes_.end()) return std::nullopt;
    return static_cast<std::size_t>(at - lanes_.begin());
}

std::optional<std::size_t> bridge::find_route(std::string_view name, event::policy p) const {
    for (std::size_t i = 0; i < lanes_.size(); ++i)
        if (lanes_[i].route.name == name && lanes_[i].route.policy == p) return i;
    return std::nullopt;
}

std::uint64_t bridge::unsaved() const {
    return pusher_.waiting() + parked_.unwritten() + parked_.left_in_front() + (pusher_.has_saves() ? 1 : 0) +
           (is_unread_ ? hearing_.held() : 0);
}

}  // namespace postrider::service
