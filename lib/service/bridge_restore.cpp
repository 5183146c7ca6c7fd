// The bridge's beginning: what an earlier process left in Redis.
#include <spdlog/spdlog.h>

#include <algorithm>

#include "core/backoff.hpp"
#include "event/context.hpp"
#include "event/time.hpp"
#include "redis/names.hpp"
#include "service/bridge.hpp"

namespace postrider::service {

using core::steady;
using core::wall;

asio::awaitable<void> bridge::restore(std::function<void()> ready) {
    core::backoff pause(core::milliseconds(200), core::milliseconds(5'000), 1);
    while (!stopping_ && !finishing_) {
        const bool connected = co_await redis_.wait_connected();
        if (!connected) co_return;
        const auto loaded = co_await load();
        if (loaded) break;
        if (loaded.error().code == core::errc::server_error) {
            auto words =
                "open groups of an earlier run cannot be read from Redis yet: " + loaded.error().message;
            if (pause.attempts() == 0) spdlog::error("redis: {}", words);
            remember(std::move(words));
        }
        co_await retry_.wait_until(steady::now() + pause.next());
    }
    if (stopping_ || finishing_) co_return;
    restored_ = true;
    timer_.notify();  // adopted groups may be due
    ready();
}

asio::awaitable<core::result<void>> bridge::load() {
    const auto state = co_await redis::load_state(redis_);
    if (!state) co_return state.error();
    for (const auto i : catch_ups_) {
        auto& l = lanes_[i];
        const auto& to = l.route.target.name;
        auto caught_up = redis::caught_up_name(to, l.route.name);
        auto seen = redis::seen_name(to, l.route.name);
        const auto saved = co_await redis::load_progress(redis_, std::move(caught_up), std::move(seen));
        if (!saved) co_return saved.error();
        adopt_progress(l, *saved);
        if (!saved->caught_up.empty()) continue;
        const auto noted = co_await note_first_start(l);
        if (!noted) co_return noted.error();
    }
    for (const auto& [name, text] : state->contexts)
        adopt_context(name, text);
    for (const auto& [name, text] : state->delays)
        adopt_delay(name, text);
    if (!state->contexts.empty() || !state->delays.empty()) {
        std::uint64_t open = 0;
        for (const auto& l : lanes_)
            open += l.open();
        spdlog::info("redis: adopted {} open groups and delayed events of an earlier run", open);
    }
    co_return boost::system::in_place_value;
}

// It stands in Redis before the first event is taken: a kill within the first second must not move it to the
// next start. An error reply is left to the later writes, which tell it.
asio::awaitable<core::result<void>> bridge::note_first_start(const lane& l) {
    const auto name = redis::caught_up_name(l.route.target.name, l.route.name);
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

void bridge::adopt_context(const std::string& name, const std::string& text) {
    const auto saved = event::parse_context(text);
    if (!saved) {
        spdlog::warn("redis: {} is no open group, left alone: {}", name, saved.error());
        return;
    }
    // The Python bridge names no route.
    const auto route = find_route(saved->route.empty() ? "bot_events" : saved->route, event::policy::group);
    const auto prefix = redis::context_name(saved->route.empty() ? "bot_events" : saved->route, "");
    if (!route || !name.starts_with(prefix)) {
        spdlog::warn("redis: {} belongs to the route '{}', which is not configured; left alone", name,
                     saved->route);
        return;
    }
    auto& l = lanes_[*route];
    event::group g;
    g.key = name.substr(prefix.size());
    g.messages = saved->messages;
    g.count = saved->count;
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
    spdlog::info("{}: {} messages of {} adopted", l.route.name, g.count, g.key);
    l.groups.adopt(std::move(g));
}

void bridge::adopt_delay(const std::string& name, const std::string& text) {
    auto saved = event::parse_delayed(text);
    if (!saved) {
        spdlog::warn("redis: {} is no delayed event, left alone: {}", name, saved.error());
        return;
    }
    const auto route = find_route(saved->route, event::policy::delay);
    const auto prefix = redis::delay_name(saved->route, "");
    if (!route || !name.starts_with(prefix)) {
        spdlog::warn("redis: {} belongs to the route '{}', which is not configured; left alone", name,
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
    d.scheduled_for = saved->scheduled_for;
    d.due = core::to_steady(d.scheduled_for, steady::now(), wall::now());
    l.waiting.add(std::move(d));
}

std::optional<std::size_t> bridge::find_route(std::string_view name, event::policy p) const {
    for (std::size_t i = 0; i < lanes_.size(); ++i)
        if (lanes_[i].route.name == name && lanes_[i].route.policy == p) return i;
    return std::nullopt;
}

std::uint64_t bridge::unsaved() const {
    return pusher_.waiting() + (saver_.has_work() ? 1 : 0);
}

}  // namespace postrider::service
