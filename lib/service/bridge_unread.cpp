// The bridge elected while Redis cannot be asked who has led before: what it hears has no numbers that others
// understand, and past the bound it is put aside in Postgres without.

#include <algorithm>

#include "core/log_line.hpp"
#include "event/unnumbered.hpp"
#include "service/bridge.hpp"

namespace postrider::service {

bool bridge::is_too_much_held() const {
    return hearing_.bytes() >= configuration_.redis_buffer_bytes;
}

void bridge::hold_unread(event::hearing::heard h) {
    if (is_unread_ && is_sorted_) return park(unnumbered(h));
    hearing_.hold(std::move(h));
    if (is_unread_ || !is_too_much_held()) return;
    core::log_warning(
        "redis: {} bytes wait for it since it cannot be read (REDIS_BUFFER_BYTES); from here on events are "
        "put "
        "aside in Postgres, in postrider.parked",
        hearing_.bytes());
    is_unread_ = true;
    is_sorted_ = false;
    park_again_.notify();
}

event::parked bridge::unnumbered(const event::hearing::heard& h) const {
    const auto& who = channels_[h.channel];
    const auto distance = hearing_.distance(h.channel, h.number);
    event::parked p;
    p.channel = who.name;
    p.payload = h.payload;
    for (const auto i : who.routes) {
        const auto& name = lanes_[i].route.name;
        if (!is_for(i, h.only)) continue;
        p.numbers.emplace_back(name, 0);
        if (distance) p.numbers.emplace_back(event::distance_name(name, distance->marker), distance->number);
    }
    return p;
}

// What comes before all that is put aside stays here; at a stop it is put in front of that.
void bridge::sort_held(std::vector<event::parked_range> ranges) {
    parked_.stand_behind(std::move(ranges));
    std::vector<event::numbering> numbers;
    for (const auto& l : lanes_) {
        auto known = event::known_markers({}, parked_.before(), l.route.name);
        numbers.push_back(restored_ ? l.numbers : event::numbering(hearing_, l.channel, known, 0));
    }
    std::vector<event::hearing::heard> kept;
    // Where nothing is put aside yet, the oldest wait here as far as they may.
    auto room = parked_.before().empty() && !finishing_ ? configuration_.redis_buffer_bytes : 0;
    while (auto h = hearing_.take()) {
        const auto cost = event::hearing::cost(*h);
        room = cost <= room ? room - cost : 0;
        if (room != 0)
            kept.push_back(std::move(*h));
        else
            sort_held(std::move(*h), numbers, kept);
    }
    for (auto& h : kept)
        hearing_.hold(std::move(h));
}

void bridge::sort_held(event::hearing::heard h, const std::vector<event::numbering>& numbers,
                       std::vector<event::hearing::heard>& kept) {
    auto p = unnumbered(h);
    bool is_before = !p.numbers.empty();
    for (const auto i : channels_[h.channel].routes) {
        const auto& l = lanes_[i];
        if (!is_for(i, h.only)) continue;
        const auto where =
            event::side_of(parked_.before(), l.route.name, hearing_, l.channel, numbers[i], h.number);
        if (where != event::side::before) is_before = false;
        if (where != event::side::there) continue;
        std::erase_if(p.numbers, [&](const auto& n) {
            return n.first == l.route.name || !event::distance_marker_in(n.first, l.route.name).empty();
        });
        if (p.numbers.empty()) return;
    }
    if (!is_before) return park(std::move(p));
    if (!finishing_) return kept.push_back(std::move(h));
    parked_.add_in_front(std::move(p));
}

asio::awaitable<core::result<bool>> bridge::park_unread() {
    if (!parked_.may_write()) co_return false;
    if (!is_sorted_) {
        const auto election = elections_;
        auto ranges = co_await parked_.ranges();
        if (!ranges) co_return ranges.error();
        if (!is_unread_ || election != elections_) co_return true;
        sort_held(std::move(*ranges));
        is_sorted_ = true;
    }
    co_return co_await parked_.write_some();
}

}  // namespace postrider::service
