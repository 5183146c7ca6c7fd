// The bridge's delayed events: scheduled, cancelled, sent off.
#include <spdlog/spdlog.h>

#include <algorithm>

#include "core/log_event.hpp"
#include "core/token.hpp"
#include "event/context.hpp"
#include "event/render.hpp"
#include "event/time.hpp"
#include "service/bridge.hpp"

namespace postrider::service {

using core::milliseconds_since_epoch;
using core::steady;
using core::wall;

void bridge::schedule(lane& l, event::envelope e, std::string_view payload, std::uint64_t number,
                      steady_time now) {
    const auto wall_now = wall::now();
    const auto& what = e.id.empty() ? e.key : e.id;
    const auto choice = event::choose_delay(l.route.delaying, std::hash<std::string>{}(what));
    const bool has_bot =
        l.route.participants.empty() || !event::find_bot(l.route, payload, reader_).bot.empty();
    if (choice.decision == event::delay_decision::skipped || !has_bot) {
        ++l.count.skipped;
        core::log_event(spdlog::level::debug, "event skipped", {{"route", l.route.name}, {"key", e.key}});
        if (l.seen)
            saves(l).note_seen(l.keys.seen(l.route.name), milliseconds_since_epoch(e.time.value_or(wall_now)),
                               std::move(e.id));
        return;
    }
    event::delayed d;
    d.key = std::move(e.key);
    d.id = std::move(e.id);
    d.payload = payload;
    d.token = core::random_token();
    d.number = number;
    d.due = now + choice.wait;
    d.scheduled_for = wall_now + choice.wait;
    if (core::shows(spdlog::level::debug))
        core::log_event(
            spdlog::level::debug,
            fmt::format("{}: {} leaves at {}", l.route.name, d.key, event::format_time(d.scheduled_for)),
            {{"route", l.route.name}, {"key", d.key}});
    saves(l).save(l.keys.delay(l.route.name, d.token), event::save_delayed(l.route.name, d),
                  choice.wait + configuration_.context_ttl);
    l.waiting.add(std::move(d));
    pusher_.saves_changed(l.line);
    rearm(l);
}

void bridge::cancel_all(const subscribers& who, std::string_view payload,
                        const std::vector<std::uint64_t>& until) {
    const auto waits = [this](std::size_t i) { return lanes_[i].waiting.size() != 0; };
    if (std::none_of(who.cancels.begin(), who.cancels.end(), waits)) return;
    // An event that comes once more, through a catch-up, must not cancel what was scheduled after it.
    const auto knows = [&](std::size_t i) {
        const auto& l = lanes_[i];
        const auto e = l.seen ? reader_.read(l.route, payload) : event::rejection::no_id;
        return e && l.seen->time_of(e->id);
    };
    if (std::any_of(who.routes.begin(), who.routes.end(), knows)) return;
    for (std::size_t n = 0; n < who.cancels.size(); ++n)
        cancel(who.cancels[n], payload, until.empty() ? no_limit : until[n]);
}

void bridge::cancel(std::size_t route, std::string_view payload, std::uint64_t until) {
    auto& l = lanes_[route];
    if (l.waiting.size() == 0) return;
    const auto key = reader_.read_key(l.route.delaying.cancel_key, payload, l.route.max_payload_bytes);
    if (!key) return;  // the channel's own route says what is wrong with it
    std::vector<event::delayed> cancelled;
    l.waiting.cancel(*key, cancelled, until);
    for (auto& d : cancelled) {
        ++l.count.cancelled;
        if (core::shows(spdlog::level::debug))
            core::log_event(spdlog::level::debug,
                            fmt::format("{}: {} cancelled by an event on '{}'", l.route.name, d.key,
                                        l.route.delaying.cancel_on),
                            {{"route", l.route.name}, {"key", d.key}});
        saves(l).drop(l.keys.delay(l.route.name, d.token), true);
        // It leaves no other trace for those who take over.
        if (d.number != 0)
            saves(l).note_seen(l.keys.behind(l.route.name), static_cast<std::int64_t>(d.number),
                               std::to_string(d.number));
        if (l.seen)
            saves(l).note_seen(l.keys.seen(l.route.name),
                               milliseconds_since_epoch(l.seen->time_of(d.id).value_or(wall::now())),
                               std::move(d.id));
    }
    if (!cancelled.empty()) pusher_.saves_changed(l.line);
}

void bridge::leave(std::size_t route, event::delayed delayed) {
    auto& l = lanes_[route];
    redis::delivery d;
    d.route = static_cast<std::uint32_t>(route);
    d.body = event::render_delayed(l.route, delayed, reader_);
    d.saved_as = l.keys.delay(l.route.name, delayed.token);
    d.number = delayed.number;
    d.arrived = delayed.due;
    d.waited = static_cast<float>(core::seconds_between(delayed.due, steady::now()));
    saves(l).drop(d.saved_as, false);
    if (l.seen) {
        d.seen_in = l.keys.seen(l.route.name);
        d.seen.emplace_back(milliseconds_since_epoch(l.seen->time_of(delayed.id).value_or(wall::now())),
                            std::move(delayed.id));
    }
    d.key = std::move(delayed.key);
    pusher_.add(l.line, std::move(d));
}

}  // namespace postrider::service
