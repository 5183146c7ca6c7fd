#include "service/bridge.hpp"

#include <algorithm>

#include "core/log_event.hpp"
#include "core/token.hpp"
#include "event/context.hpp"
#include "event/stream_fields.hpp"
#include "event/time.hpp"
#include "service/replay_channel.hpp"

namespace postrider::service {
namespace {

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

std::vector<std::string> names_of(const configuration& c) {
    std::vector<std::string> names;
    for (const auto& r : c.routes)
        names.push_back(r.name);
    return names;
}

postgres::parking_settings parking_settings(const configuration& c) {
    postgres::parking_settings s;
    s.conninfo = c.postgres_url;
    s.name = c.name;
    return s;
}

}  // namespace

bridge::bridge(const asio::any_io_executor& executor, const configuration& c, redis::client& redis,
               redis::cache& values, std::function<void(event::dead_letter)> letters)
    : configuration_(c),
      redis_(redis),
      values_(values),
      pusher_(
          executor, redis,
          {[this](std::size_t line) { return groups_of(line); }, names_of(c), context_ttl(c), context_linger},
          {[this](std::vector<redis::delivery> all) { delivered(std::move(all)); },
           [this](redis::delivery d, const std::string& why) { refused(std::move(d), why); },
           [this](std::size_t route) { return lanes_[route].place(); },
           [this](const redis::delivery& d) { return event::stream_fields(lanes_[d.route].route, d.body); },
           [this] { server_changed(); },
           [this] {
               if (finishing_) push_everything_open();
           },
           [this](const std::string& why) { deposed(why); }},
          core::random_token(), c.name),
      parked_(parking_settings(c)),
      park_again_(executor),
      letters_(std::move(letters)),
      timer_(executor),
      reign_(executor),
      started_(wall::now()) {
    for (std::size_t i = 0; i < c.routes.size(); ++i) {
        const auto& r = c.routes[i];
        auto& who = channels_.add(r.channel);
        const auto line = pusher_.line_to(r.target);
        lanes_.emplace_back(r, pusher_.keys(line), line, who.channel);
        who.routes.push_back(i);
        if (!r.delaying.cancel_on.empty() && r.policy == event::policy::delay)
            channels_.add(r.delaying.cancel_on).cancels.push_back(i);
        if (!r.catch_up.empty()) catch_ups_.push_back(i);
    }
    hearing_ = event::hearing(channels_.size());
    progress_.resize(pusher_.lines());
}

redis::open_groups bridge::groups_of(std::size_t line) {
    return {[this, line](std::size_t limit, const redis::open_groups::visitor& visit) {
                std::size_t shown = 0;
                for (std::size_t i = 0; i < lanes_.size() && shown < limit; ++i)
                    if (lanes_[i].line == line)
                        shown += lanes_[i].groups.visit_unsaved(
                            limit - shown, [&](const event::context_update& u) { visit(i, u); });
                return shown;
            },
            [this, line] {
                return std::any_of(lanes_.begin(), lanes_.end(), [line](const lane& l) {
                    return l.line == line && l.groups.has_unsaved();
                });
            },
            [this](std::size_t route, std::string_view key) { lanes_[route].groups.mark_unsaved(key); },
            [this, line] {
                std::optional<steady_time> since;
                for (const auto& l : lanes_)
                    if (const auto t = l.groups.unsaved_since(); t && l.line == line)
                        since = since ? std::min(*since, *t) : *t;
                return since;
            }};
}

std::vector<std::string> bridge::channels() const {
    auto all = channels_.names();
    if (std::any_of(lanes_.begin(), lanes_.end(),
                    [this](const lane& l) { return shares_channel(configuration_.routes, l.route); }))
        all.emplace_back(replay_channel);
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
    if (!l.catch_up_start)
        l.catch_up_start = std::max(l.floor, l.seen->newest().value_or(l.floor) - l.route.overlap);
    return event::format_time(*l.catch_up_start);
}

void bridge::catch_up_completed(std::size_t n) {
    lanes_[catch_ups_[n]].catch_up_start.reset();
}

void bridge::notified(std::string_view channel, std::string_view payload) {
    if (channel == replay_channel) {
        only_ = payload;
        return;
    }
    const auto only = std::exchange(only_, {});
    const auto* who = channels_.find(channel);
    if (who == nullptr || finishing_) return;
    const auto now = steady::now();
    const auto number = hearing_.count(who->channel);
    if (holding_) return hold({who->channel, number, std::string(payload), now, only, heard_until(*who)});
    if (must_park()) {
        auto p = numbered(*who, number, only, heard_until(*who));
        p.payload = payload;
        return park(std::move(p));
    }
    process(*who, payload, number, now, only);
}

void bridge::process(const subscribers& who, std::string_view payload, std::uint64_t number, steady_time now,
                     std::string_view only, const std::vector<std::uint64_t>& until) {
    journal_.arrived(now);
    if (only.empty() && !taken_before(who, payload, number)) cancel_all(who, payload, until);
    for (const auto i : who.routes) {
        auto& l = lanes_[i];
        if (is_for(i, only))
            take(i, payload, l.numbers.of(number), now);
        else
            note_taken(l, l.numbers.of(number));
    }
}

// Deposed in the middle of a catch-up: what it still brings is the next leader's.
void bridge::caught_up(std::size_t n, std::string_view payload) {
    if (!ready()) return;
    const auto route = catch_ups_[n];
    const auto now = steady::now();
    cancel_all(channels_[lanes_[route].channel], payload);
    take(route, payload, 0, now);
}

void bridge::take(std::size_t route, std::string_view payload, std::uint64_t number, steady_time now) {
    auto& l = lanes_[route];
    note_taken(l, number);
    ++l.count.events;
    auto e = reader_.read(l.route, payload);
    if (!e && l.knows(number, "", !parked_.is_parking())) {
        ++l.count.duplicates;
        return;
    }
    if (!e) return reject(l, e.error(), payload);
    if (l.knows(number, e->key, !parked_.is_parking())) {
        ++l.count.duplicates;
        return;
    }
    // A date in the future would move the start of every later catch-up past what is missing.
    if (e->time) e->time = std::min(*e->time, wall::now());
    if (l.seen && !l.seen->add(e->id, e->time.value_or(wall::now()))) {
        ++l.count.duplicates;
        return;
    }
    switch (l.route.policy) {
        case event::policy::immediate:
            journal_.tell_taken(l, e->key, 0);
            return leave_at_once(route, std::move(*e), payload, number, now);
        case event::policy::delay:
            journal_.tell_taken(l, e->key, 0);
            return schedule(l, std::move(*e), payload, number, now);
        case event::policy::group:
            break;
    }
    // Where no id tells an event apart its number does, should it have to be put aside.
    const auto id = l.seen ? std::move(e->id) : std::to_string(number);
    std::vector<event::group> leaving;
    journal_.tell_taken(l, e->key, l.groups.add(e->key, id, payload, now, leaving, number));
    leave(route, leaving);
    pusher_.saves_changed(l.line);
    rearm(l);
}

void bridge::reject(lane& l, event::rejection why, std::string_view payload) {
    ++l.count.rejected[why];
    auto letter = l.letter();
    letter.kind = event::dead_letter::origin::event;
    letter.payload = payload;
    letter.reason = event::name(why);
    letter.error = event::explain(why, l.route);
    core::log_event(spdlog::level::warn, "event left out: " + letter.error,
                    {{"route", l.route.name}, {"channel", l.route.channel}, {"reason", letter.reason}},
                    payload);
    // The endpoints show it to everybody, so no payload is in it.
    journal_.remember(
        fmt::format("{}: event on channel '{}' left out: {}", l.route.name, l.route.channel, letter.error));
    letters_(std::move(letter));
}

void bridge::server_changed() {
    for (auto& l : lanes_) {
        l.groups.mark_all_unsaved();
        l.waiting.for_each([&](const event::delayed& d) {
            const auto left = std::max(d.due - steady::now(), steady::duration::zero());
            saves(l).save(l.keys.delay(l.route.name, d.token), event::save_delayed(l.route.name, d),
                          std::chrono::duration_cast<core::milliseconds>(left) + configuration_.context_ttl);
        });
        if (!l.markers.empty()) note_markers(l, l.saved_taken);
        if (saves(l).has_work()) pusher_.saves_changed(l.line);
    }
}

}  // namespace postrider::service
