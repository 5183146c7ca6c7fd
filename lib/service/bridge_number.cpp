// How the bridge numbers what it has heard, and what it knows of the numbers of those who led before.
#include <algorithm>

#include "event/unnumbered.hpp"
#include "service/bridge.hpp"

namespace postrider::service {

// Our numbers go on with those of the process before: exactly where both have heard the same marker; else
// behind all that it has used, because what is held here came after that.
void bridge::number_events(lane& l, const redis::saved_place& saved) {
    auto highest = l.known->highest();
    if (const auto* parked = event::range_of(parked_.before(), l.route.name))
        highest = std::max(highest, parked->last);
    auto known = event::known_markers(saved.markers, parked_.before(), l.route.name);
    if (event::number_distances(parked_.before(), l.route.name, known, highest)) parked_.note_new_numbers();
    l.numbers = event::numbering(hearing_, l.channel, known, highest);
    l.markers = l.numbers.markers(hearing_, l.channel, known);
    l.taken = l.marked_taken = l.saved_taken = saved.number;
    note_markers(l, std::nullopt);
    parked_.number_before(l.route.name, l.markers);
}

// What was put aside without numbers, while nobody could say whether another has led: nobody has, so that
// they are this process's own. Whoever leads next has to find the markers that they are counted from.
void bridge::number_parked() {
    for (auto& l : lanes_) {
        auto markers = l.markers;
        for (const auto& r : parked_.before())
            if (auto m = marker_heard(l, event::distance_marker_in(r.route, l.route.name)))
                markers.push_back(*m);
        parked_.number_before(l.route.name, markers);
        note_markers(l, std::nullopt);
    }
    parked_.note_new_numbers();
    is_unread_ = false;
    park_again_.notify();
}

// A route remembers fewer markers than were heard.
std::optional<event::marked_number> bridge::marker_heard(const lane& l, std::string_view name) const {
    if (name.empty() || event::find_marker(l.markers, name) != nullptr) return std::nullopt;
    const auto heard = hearing_.before(l.channel, name);
    const auto number = heard ? l.numbers.before(*heard) : std::nullopt;
    if (!number) return std::nullopt;
    return event::marked_number{std::string(name), *number};
}

std::uint64_t bridge::number_of(const event::parked& p, const lane& l) const {
    const auto number = event::number_of(p, l.route.name, l.markers);
    if (number != 0) return number;
    const auto distance = p.distance(l.route.name);
    const auto m = distance ? marker_heard(l, distance->marker) : std::nullopt;
    return m ? m->number + distance->number : 0;
}

void bridge::note_markers(lane& l, std::optional<std::uint64_t> number) {
    auto p = l.place();
    p.markers = event::markers_text(l.markers);
    saves(l).note_place(p, number);
    pusher_.saves_changed(l.line);
}

bool bridge::taken_before(const subscribers& who, const event::parked& p) {
    return std::any_of(who.routes.begin(), who.routes.end(), [&](std::size_t i) {
        auto& l = lanes_[i];
        if (!l.known) return false;
        const auto e = reader_.read(l.route, p.payload);
        return e && l.knows(number_of(p, l), e->key, false);
    });
}

// An event that the process before has taken has cancelled there what it had to cancel.
bool bridge::taken_before(const subscribers& who, std::string_view payload, std::uint64_t number) {
    return std::any_of(who.routes.begin(), who.routes.end(), [&](std::size_t i) {
        auto& l = lanes_[i];
        if (!l.known) return false;
        const auto e = reader_.read(l.route, payload);
        return e && l.knows(l.numbers.of(number), e->key, !parked_.is_parking());
    });
}

event::parked bridge::numbered(const subscribers& who, std::uint64_t number, std::string_view only,
                               const std::vector<std::uint64_t>& until) const {
    event::parked p;
    p.channel = who.name;
    for (const auto i : who.routes)
        if (is_for(i, only)) {
            p.numbers.emplace_back(lanes_[i].route.name, lanes_[i].numbers.of(number));
            lanes_[i].add_mark(p);
        }
    for (std::size_t n = 0; n < until.size(); ++n) {
        const auto& l = lanes_[who.cancels[n]];
        if (const auto last = l.numbers.before(until[n]))
            p.marks.emplace_back(event::cancel_name(l.route.name), *last);
    }
    return p;
}

// An event that is taken later than heard must not cancel what came after it, which an earlier leader may
// have saved.
std::vector<std::uint64_t> bridge::heard_until(const subscribers& who) const {
    std::vector<std::uint64_t> until;
    for (const auto i : who.cancels) {
        const auto last = hearing_.last(lanes_[i].channel);
        until.push_back(lanes_[i].channel == who.channel ? last - 1 : last);
    }
    return until;
}

std::vector<std::uint64_t> bridge::numbers_until(const subscribers& who,
                                                 const std::vector<std::uint64_t>& heard,
                                                 std::uint64_t unknown) const {
    std::vector<std::uint64_t> until;
    for (std::size_t n = 0; n < heard.size(); ++n)
        until.push_back(lanes_[who.cancels[n]].numbers.before(heard[n]).value_or(unknown));
    return until;
}

std::vector<std::uint64_t> bridge::numbers_until(const subscribers& who, const event::parked& p) const {
    std::vector<std::uint64_t> until;
    for (const auto i : who.cancels)
        until.push_back(p.cancels_until(lanes_[i].route.name).value_or(no_limit));
    return until;
}

}  // namespace postrider::service
