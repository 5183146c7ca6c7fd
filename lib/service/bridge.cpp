#include "service/bridge.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>

#include "core/printable.hpp"
#include "core/token.hpp"
#include "event/context.hpp"
#include "event/render.hpp"
#include "event/time.hpp"
#include "redis/names.hpp"

namespace postrider::service {
namespace {

using core::milliseconds_since_epoch;
using core::steady;
using core::wall;

// Open groups reach Redis this long after their change, so that a burst is written once.
constexpr core::milliseconds context_linger{8};

// A context must outlive the longest group by far: until the push deletes it, it may be all there is of it.
core::milliseconds context_ttl(const configuration& c) {
    core::milliseconds longest{0};
    for (const auto& r : c.routes)
        longest = std::max({longest, r.grouping.window, r.grouping.max_wait});
    return longest + c.context_ttl;
}

// The first part of a payload is enough to find its sender.
std::string excerpt(std::string_view payload) {
    return core::one_line(payload.substr(0, 200));
}

}  // namespace

bridge::bridge(const asio::any_io_executor& executor, const configuration& c, redis::client& redis)
    : configuration_(c),
      redis_(redis),
      saver_(
          {[this](std::size_t limit, const redis::open_groups::visitor& visit) {
               std::size_t shown = 0;
               for (std::size_t i = 0; i < lanes_.size() && shown < limit; ++i)
                   shown += lanes_[i].groups.visit_unsaved(
                       limit - shown, [&](const event::context_update& u) { visit(i, u); });
               return shown;
           },
           [this] {
               return std::any_of(lanes_.begin(), lanes_.end(),
                                  [](const lane& l) { return l.groups.has_unsaved(); });
           },
           [this](std::size_t route, std::string_view key) { lanes_[route].groups.mark_unsaved(key); }},
          [&c] {
              std::vector<std::string> names;
              for (const auto& r : c.routes)
                  names.push_back(r.name);
              return names;
          }(),
          context_ttl(c)),
      pusher_(executor, redis, saver_,
              {[this](std::vector<redis::delivery> all) { delivered(std::move(all)); },
               [this](redis::delivery d, const std::string& why) { refused(std::move(d), why); },
               [this] { server_changed(); },
               [this] {
                   if (finishing_) push_everything_open();
               }},
              core::random_token(), context_linger),
      timer_(executor),
      retry_(executor),
      started_(wall::now()) {
    for (std::size_t i = 0; i < c.routes.size(); ++i) {
        const auto& r = c.routes[i];
        lanes_.emplace_back(r, pusher_.line_to(r.target));
        channels_[r.channel].routes.push_back(i);
        if (!r.delaying.cancel_on.empty() && r.policy == event::policy::delay)
            channels_[r.delaying.cancel_on].cancels.push_back(i);
        if (!r.catch_up.empty()) catch_ups_.push_back(i);
    }
}

std::vector<std::string> bridge::channels() const {
    std::vector<std::string> all;
    for (const auto& [channel, who] : channels_)
        all.push_back(channel);
    std::sort(all.begin(), all.end());
    return all;
}

std::vector<std::string> bridge::catch_up_queries() const {
    std::vector<std::string> all;
    for (const auto i : catch_ups_)
        all.push_back(lanes_[i].route.catch_up);
    return all;
}

std::string bridge::catch_up_since(std::size_t n) {
    auto& l = lanes_[catch_ups_[n]];
    l.catching_up = true;
    return event::format_time(std::max(l.floor, l.seen->newest().value_or(l.floor) - l.route.overlap));
}

void bridge::catch_up_completed(std::size_t n) {
    lanes_[catch_ups_[n]].catching_up = false;
}

void bridge::notified(std::string_view channel, std::string_view payload) {
    const auto who = channels_.find(channel);
    if (who == channels_.end()) return;
    const auto now = steady::now();
    arrivals_.add(1, now);
    cancel_all(who->second, payload);
    for (const auto i : who->second.routes)
        take(i, payload, now);
}

void bridge::caught_up(std::size_t n, std::string_view payload) {
    const auto route = catch_ups_[n];
    const auto now = steady::now();
    cancel_all(channels_[lanes_[route].route.channel], payload);
    take(route, payload, now);
}

void bridge::take(std::size_t route, std::string_view payload, steady_time now) {
    auto& l = lanes_[route];
    ++l.count.events;
    auto e = reader_.read(l.route, payload);
    if (!e) return reject(l, e.error(), payload);
    // A date in the future would move the start of every later catch-up past what is missing.
    if (e->time) e->time = std::min(*e->time, wall::now());
    if (l.seen && !l.seen->add(e->id, e->time.value_or(wall::now()))) {
        ++l.count.duplicates;
        return;
    }
    SPDLOG_DEBUG("{}: event of {}", l.route.name, e->key);
    switch (l.route.policy) {
        case event::policy::immediate:
            return leave_at_once(route, std::move(*e), payload, now);
        case event::policy::delay:
            return schedule(l, std::move(*e), payload, now);
        case event::policy::group:
            break;
    }
    std::vector<event::group> leaving;
    l.groups.add(e->key, l.seen ? std::string_view(e->id) : std::string_view(), payload, now, leaving);
    leave(route, leaving);
    pusher_.saves_changed();
    rearm(l);
}

void bridge::reject(lane& l, event::rejection why, std::string_view payload) {
    ++l.count.rejected[why];
    auto words = fmt::format("{}: event on channel '{}' left out: {}: {}", l.route.name, l.route.channel,
                             event::explain(why, l.route), excerpt(payload));
    spdlog::warn("{}", words);
    remember(std::move(words));
}

void bridge::leave_at_once(std::size_t route, event::envelope e, std::string_view payload, steady_time now) {
    const auto& l = lanes_[route];
    redis::delivery d;
    d.route = route;
    d.body = payload;
    d.ready = now;
    if (l.seen) {
        d.seen_in = redis::seen_name(l.route.target.name, l.route.name);
        d.seen.emplace_back(milliseconds_since_epoch(e.time.value_or(wall::now())), std::move(e.id));
    }
    d.key = std::move(e.key);
    pusher_.add(l.line, std::move(d));
}

void bridge::leave(std::size_t route, std::vector<event::group>& groups) {
    const auto& l = lanes_[route];
    for (auto& g : groups) {
        redis::delivery d;
        d.route = route;
        d.body = event::render_group(l.route, g, reader_);
        d.saved_as = redis::context_name(l.route.name, g.key);
        d.messages = g.count;
        d.ready = steady::now();
        if (l.seen) {
            d.seen_in = redis::seen_name(l.route.target.name, l.route.name);
            for (auto& id : g.ids)
                d.seen.emplace_back(milliseconds_since_epoch(l.seen->time_of(id).value_or(wall::now())),
                                    std::move(id));
        }
        d.key = std::move(g.key);
        pusher_.add(l.line, std::move(d));
    }
    groups.clear();
}

void bridge::delivered(std::vector<redis::delivery> all) {
    departures_.add(all.size(), steady::now());
    for (const auto& d : all) {
        auto& l = lanes_[d.route];
        ++l.count.pushed;
        l.count.messages += d.messages;
        if (l.route.policy == event::policy::group)
            spdlog::info("{}: {} of {} pushed to {}", l.route.name,
                         d.messages == 1 ? std::string("1 message") : fmt::format("{} messages", d.messages),
                         d.key, l.route.target.name);
        else
            SPDLOG_DEBUG("{}: {} pushed to {}", l.route.name, d.key, l.route.target.name);
    }
}

void bridge::refused(redis::delivery d, const std::string& why) {
    auto& l = lanes_[d.route];
    ++l.count.failed;
    auto words = fmt::format("{}: Redis refuses {} for good, not delivered to {}: {}: {}", l.route.name,
                             d.key, l.route.target.name, why, excerpt(d.body));
    spdlog::error("{}", words);
    remember(std::move(words));
}

void bridge::server_changed() {
    for (auto& l : lanes_) {
        l.groups.mark_all_unsaved();
        l.waiting.for_each([&](const event::delayed& d) {
            const auto left = std::max(d.due - steady::now(), steady::duration::zero());
            saver_.save(redis::delay_name(l.route.name, d.token), event::save_delayed(l.route.name, d),
                        std::chrono::duration_cast<core::milliseconds>(left) + configuration_.context_ttl);
        });
    }
    if (saver_.has_work()) pusher_.saves_changed();
}

void bridge::remember(std::string words) {
    mishap_ = mishap{std::move(words), wall::now()};
}

}  // namespace postrider::service
