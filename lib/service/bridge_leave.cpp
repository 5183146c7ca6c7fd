// The bridge's last step: what leaves, and what became of it.
#include <algorithm>

#include "core/log_event.hpp"
#include "core/log_sink.hpp"
#include "event/render.hpp"
#include "redis/classify.hpp"
#include "service/bridge.hpp"

namespace postrider::service {

using core::milliseconds_since_epoch;
using core::steady;
using core::wall;

namespace {

event::dead_letter refused_letter(event::dead_letter letter, redis::delivery d, const std::string& why) {
    redis::reply answer;
    answer.type = redis::reply::kind::error;
    answer.text = why;
    letter.kind = event::dead_letter::origin::push;
    letter.key = std::move(d.key);
    letter.payload = std::move(d.body);
    letter.saved_as = std::move(d.saved_as);
    if (!d.seen_in.empty()) letter.seen = std::move(d.seen);
    letter.seen_in = std::move(d.seen_in);
    letter.reason = redis::code_of(answer);
    letter.error = why;
    return letter;
}

}  // namespace

void bridge::leave_at_once(std::size_t route, event::envelope&& e, std::string_view payload,
                           std::uint64_t number, steady_time now) {
    const auto& l = lanes_[route];
    redis::delivery d;
    d.route = static_cast<std::uint32_t>(route);
    d.body = payload;
    d.number = number;
    d.arrived = now;
    if (l.seen) {
        d.seen_in = l.keys.seen(l.route.name);
        d.seen.emplace_back(milliseconds_since_epoch(e.time.value_or(wall::now())), std::move(e.id));
    }
    d.key = std::move(e.key);
    pusher_.add(l.line, std::move(d));
}

void bridge::leave(std::size_t route, std::vector<event::group>& groups) {
    if (groups.empty()) return;
    auto& l = lanes_[route];
    const auto now = steady::now();
    for (auto& g : groups) {
        l.count.group_events.add(g.count);
        l.count.group_age.add(core::seconds_between(g.opened, now));
        redis::delivery d;
        d.route = static_cast<std::uint32_t>(route);
        d.body = event::render_group(l.route, g, reader_);
        d.saved_as = l.keys.context(l.route.name, g.key);
        d.number = g.number;
        d.group = static_cast<std::uint32_t>(g.serial);
        d.messages = g.count;
        d.arrived = g.opened;
        d.waited = static_cast<float>(core::seconds_between(g.opened, now));
        if (l.seen) {
            d.seen_in = l.keys.seen(l.route.name);
            for (auto& id : g.ids)
                d.seen.emplace_back(milliseconds_since_epoch(l.seen->time_of(id).value_or(wall::now())),
                                    std::move(id));
        } else {
            for (const auto number : numbers_of(g.ids))
                d.seen.emplace_back(static_cast<std::int64_t>(number), std::string());
        }
        d.key = std::move(g.key);
        pusher_.add(l.line, std::move(d));
    }
    groups.clear();
}

void bridge::delivered(std::vector<redis::delivery> all) {
    const auto now = steady::now();
    journal_.departed(all.size(), now);
    const core::log_together one_write;
    for (const auto& d : all) {
        auto& l = lanes_[d.route];
        ++l.count.pushed;
        l.count.messages += d.messages;
        const auto latency = core::seconds_between(d.arrived, now);
        l.count.latency.add(latency);
        l.count.push_latency.add(std::max(0.0, latency - static_cast<double>(d.waited)));
        journal_.tell_pushed(l, d);
    }
    const auto line = lanes_[all.front().route].line;
    const auto done = done_on(line);
    if (progress_[line].must_look({&done, 1})) timer_.notify();
}

void bridge::refused(redis::delivery d, const std::string& why) {
    auto& l = lanes_[d.route];
    ++l.count.failed;
    const auto group = d.group == 0 ? std::string() : journal_.group_id(d.group);
    core::log_event(spdlog::level::err, "Redis refuses a push for good: " + why,
                    {{"route", l.route.name}, {"key", d.key}, {"group", group}, {"to", l.route.target.name}},
                    d.body);
    // The endpoints show it to everybody, so no payload is in it.
    journal_.remember(fmt::format("{}: Redis refuses {} for good, not delivered to {}: {}", l.route.name,
                                  d.key, l.route.target.name, why));
    const auto number = d.number;
    keep_letter(l, refused_letter(l.letter(), std::move(d), why), number);
}

}  // namespace postrider::service
