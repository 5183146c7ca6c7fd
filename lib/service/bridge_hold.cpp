// What the bridge hears and may not take yet: it is held, bounded while another leads, and taken in order.

#include <algorithm>

#include "core/log_line.hpp"
#include "service/bridge.hpp"

namespace postrider::service {

using core::steady;

namespace {

// Of the newest that a standby holds the leader may not have written down yet.
constexpr std::size_t least_newest_bytes = 1 << 20;

// How often a standby that holds much asks what the leader has done.
constexpr core::milliseconds early_forget_interval{50};

}  // namespace

void bridge::session_began() {
    hearing_.gap();
    holding_ = true;
    in_sync_ = false;
    began_ = steady::now();
    reign_.notify();
}

void bridge::marked(std::string_view marker) {
    if (!hearing_.mark(marker) || !restored_) return;
    for (auto& l : lanes_) {
        const auto number = l.numbers.before(hearing_.last(l.channel));
        if (!number) continue;
        event::numbering::add(l.markers, {std::string(marker), *number});
        note_markers(l, std::nullopt);
    }
    note_all_taken();
}

// All that was heard is under way: once it is done Redis shall say so, also where no event follows. Whoever
// has begun to listen at the latest marker waits for that.
void bridge::note_all_taken() {
    if (!restored_ || holding_ || parked_.is_parking()) return;
    for (auto& l : lanes_)
        if (const auto number = l.numbers.before(hearing_.last(l.channel))) note_taken(l, *number);
}

void bridge::hold(event::hearing::heard h) {
    if (elected_ && !confirmed_) return hold_unread(std::move(h));
    hearing_.hold(std::move(h));
    if (restored_) return;
    // The leader's memory is bounded by as much; what comes then it puts aside in Postgres.
    const auto oldest = configuration_.redis_buffer_bytes;
    const auto forgotten = hearing_.forget_between(oldest, std::max(oldest / 4, least_newest_bytes));
    if (forgotten != 0 && !forgetting_)
        core::log_warning(
            "standing by: more than {} bytes wait for the leader to deliver or save them; what it puts aside "
            "in Postgres is not held here any more",
            hearing_.bytes());
    forgetting_ = !hearing_.holes().empty();
    const auto now = steady::now();
    if (hearing_.bytes() < oldest / 2 || now - looked_ < early_forget_interval || !redis_.connected()) return;
    looked_ = now;
    reign_.notify();
}

void bridge::live() {
    if (!ready()) return;
    holding_ = false;
    release();
}

// What this process has not held is in the table, or known to be done, unless the leader could not write it.
void bridge::tell_holes() {
    for (const auto& hole : hearing_.holes()) {
        std::uint64_t missing = 0;
        for (const auto i : channels_[hole.channel].routes) {
            const auto& l = lanes_[i];
            const auto last = l.numbers.of(hole.last);
            // Of a session that no leader can tell from others nobody knows what became of it.
            if (last == 0) {
                missing = std::max(missing, hole.last - hole.first + 1);
                continue;
            }
            const auto first = std::max(last - (hole.last - hole.first), l.taken + 1);
            if (last < first) continue;
            const auto* range = event::range_of(parked_.before(), l.route.name);
            auto there = std::uint64_t{0};
            if (range != nullptr && range->last >= first && range->first <= last)
                there = std::min(last, range->last) - std::max(first, range->first) + 1;
            missing = std::max(missing, last - first + 1 - there);
        }
        if (missing == 0) continue;
        const auto words = fmt::format(
            "taking over: {} events on channel '{}' were neither held here nor delivered, saved or put aside "
            "by the former leader, as far as is known; they are lost unless their route catches up",
            missing, channels_[hole.channel].name);
        core::log_warning("{}", words);
        journal_.remember(words);
    }
    hearing_.forget_holes();
    forgetting_ = false;
}

void bridge::release() {
    tell_holes();
    while (auto h = hearing_.take())
        take_held(*h);
    parked_.forget_before();
    note_all_taken();
}

// Of what a catch-up holds back at the end, that which no later catch-up would bring.
void bridge::finish_held() {
    while (auto h = hearing_.take()) {
        // What is put aside comes first.
        if (parked_.is_parking()) {
            take_held(*h);
            continue;
        }
        const auto& who = channels_[h->channel];
        if (h->only.empty() && !taken_before(who, h->payload, h->number))
            cancel_all(who, h->payload, numbers_until(who, h->cancels_until));
        for (const auto i : who.routes)
            if (!lanes_[i].seen && is_for(i, h->only))
                take(i, h->payload, lanes_[i].numbers.of(h->number), steady::now());
    }
}

}  // namespace postrider::service
