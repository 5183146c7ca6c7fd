// The bridge's clock: what leaves when, and what is written when.

#include <algorithm>

#include "core/log_line.hpp"
#include "event/time.hpp"
#include "service/bridge.hpp"

namespace postrider::service {

using core::steady;

bridge::steady_time bridge::next_deadline() const {
    auto soonest = steady_time::max();
    if (has_progress())
        for (const auto& p : progress_)
            soonest = std::min(soonest, p.next_look());
    for (const auto& l : lanes_)
        if (const auto t = l.next_deadline()) soonest = std::min(soonest, *t);
    return soonest;
}

// How far the route is has to be saved, also where nothing else will be due.
void bridge::note_taken(lane& l, std::uint64_t number) {
    l.taken = std::max(l.taken, number);
    if (progress_[l.line].next_look() < armed_) timer_.notify();
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

// A look that is always due would spin, so there is none before this process leads, nor without news. What is
// taken back may be known to be done, and its rows have to go all the same.
bool bridge::has_progress() const {
    const bool has_taken_rows = parked_.is_parking() && !parked_.is_deleted();
    return restored_ &&
           (!catch_ups_.empty() || has_taken_rows ||
            std::any_of(lanes_.begin(), lanes_.end(), [](const lane& l) { return l.taken > l.saved_taken; }));
}

// A route is as far as its own line, whatever becomes of another; but what its events have cancelled stands
// with other lines, so that all of them have to have saved.
void bridge::save_progress(steady_time now) {
    if (!has_progress()) return;
    const auto saved_until = pusher_.saved_until(now);
    std::vector<progress::line> lines;
    for (std::size_t i = 0; i < progress_.size(); ++i) {
        lines.push_back(done_on(i));
        const auto step = progress_[i].look(now, {&lines.back(), 1}, saved_until);
        if (step == progress::step::wait) continue;
        for (auto& l : lanes_)
            if (l.line == i) save_progress(l, step);
    }
    const auto step = parked_progress_.look(now, lines, saved_until);
    if (step != progress::step::wait) parked_.mark(step == progress::step::reached);
}

void bridge::save_progress(lane& l, progress::step step) {
    const bool is_reached = step == progress::step::reached;
    if (is_reached && l.marked_taken > l.saved_taken) {
        saves(l).note_place(l.place(), l.marked_taken);
        pusher_.saves_changed(l.line);
        l.saved_taken = l.marked_taken;
    }
    l.marked_taken = l.taken;
    // Live events that overtook a failing catch-up must not move its start past what is missing.
    if (!l.seen || l.catch_up_start) return;
    if (is_reached && l.marked != l.written) write_progress(l);
    l.marked = l.seen->newest();
}

void bridge::write_progress(lane& l) {
    saves(l).save(l.keys.caught_up(l.route.name),
                  event::format_time(*l.marked) + " " + event::format_time(l.floor), core::milliseconds(0));
    pusher_.saves_changed(l.line);
    const auto horizon = *l.marked - 2 * l.route.overlap;
    l.seen->forget_before(horizon);
    saves(l).trim_seen(l.keys.seen(l.route.name), core::milliseconds_since_epoch(horizon));
    l.written = l.marked;
}

void bridge::finish() {
    // Also when the session is over: should another lead by now, the epoch refuses it.
    if (confirmed_) finish_held();
    holding_ = true;
    finishing_ = true;
    if ((elected_ || restored_) && !confirmed_ && (is_unread_ || hearing_.held() != 0)) {
        is_unread_ = true;
        is_sorted_ = false;
    }
    // Who stops does not take over.
    parked_.stop_finding();
    timer_.notify();
    reign_.notify();
    park_again_.notify();
    pusher_.finish();
    if (!pusher_.current().save_error.empty()) push_everything_open();
}

void bridge::stop() {
    stopping_ = true;
    timer_.notify();
    reign_.notify();
    parking_.stop();
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
            core::log_warning("{}: {} pushed early, because Redis cannot hold them open",
                              lanes_[i].route.name, groups.size() + delayed.size());
        leave(i, groups);
        for (auto& d : delayed)
            leave(i, std::move(d));
    }
}

}  // namespace postrider::service
