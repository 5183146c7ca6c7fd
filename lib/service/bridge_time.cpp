// The bridge's clock: what leaves when, and what is written when.
#include <spdlog/spdlog.h>

#include <algorithm>

#include "event/time.hpp"
#include "redis/names.hpp"
#include "service/bridge.hpp"

namespace postrider::service {

using core::steady;

bridge::steady_time bridge::next_deadline() const {
    // Before the restoring there is no progress to look at, and a look that is always due would spin.
    auto soonest = catch_ups_.empty() || !restored_ ? steady_time::max() : progress_.next_look();
    for (const auto& l : lanes_)
        if (const auto t = l.next_deadline()) soonest = std::min(soonest, *t);
    return soonest;
}

void bridge::rearm(const lane& l) {
    const auto soonest = l.next_deadline();
    if (soonest && *soonest < armed_) timer_.notify();
}

asio::awaitable<void> bridge::keep_time() {
    while (!stopping_ && !finishing_) {
        const auto now = steady::now();
        for (std::size_t i = 0; i < lanes_.size(); ++i) {
            std::vector<event::group> groups;
            lanes_[i].groups.due(now, groups);
            leave(i, groups);
            std::vector<event::delayed> delayed;
            lanes_[i].waiting.due(now, delayed);
            for (auto& d : delayed)
                leave(i, std::move(d));
        }
        save_progress(now);
        armed_ = next_deadline();
        if (armed_ > steady::now()) co_await timer_.wait_until(armed_);
    }
}

void bridge::save_progress(steady_time now) {
    if (catch_ups_.empty() || !restored_) return;
    const auto& s = pusher_.current();
    const auto step = progress_.look(now, s.accepted, s.finished, saver_.saved_until(now));
    if (step == progress::step::wait) return;
    for (const auto i : catch_ups_) {
        auto& l = lanes_[i];
        // Live events that overtook a failing catch-up must not move its start past what is missing.
        if (l.catching_up) continue;
        if (step == progress::step::reached && l.marked != l.written) write_progress(l);
        l.marked = l.seen->newest();
    }
}

void bridge::write_progress(lane& l) {
    const auto& to = l.route.target.name;
    saver_.save(redis::caught_up_name(to, l.route.name),
                event::format_time(*l.marked) + " " + event::format_time(l.floor), core::milliseconds(0));
    pusher_.saves_changed();
    const auto horizon = *l.marked - 2 * l.route.overlap;
    l.seen->forget_before(horizon);
    saver_.trim_seen(redis::seen_name(to, l.route.name), core::milliseconds_since_epoch(horizon));
    l.written = l.marked;
}

void bridge::finish() {
    finishing_ = true;
    timer_.notify();
    retry_.notify();
    pusher_.finish();
    if (!pusher_.current().save_error.empty()) push_everything_open();
}

void bridge::stop() {
    stopping_ = true;
    timer_.notify();
    retry_.notify();
    pusher_.stop();
}

// The last resort at a shutdown: what Redis cannot hold open leaves early.
void bridge::push_everything_open() {
    for (std::size_t i = 0; i < lanes_.size(); ++i) {
        std::vector<event::group> groups;
        lanes_[i].groups.take_all(groups);
        std::vector<event::delayed> delayed;
        lanes_[i].waiting.take_all(delayed);
        if (!groups.empty() || !delayed.empty())
            spdlog::warn("{}: {} pushed early, because Redis cannot hold them open", lanes_[i].route.name,
                         groups.size() + delayed.size());
        leave(i, groups);
        for (auto& d : delayed)
            leave(i, std::move(d));
    }
}

}  // namespace postrider::service
