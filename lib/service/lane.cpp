#include "service/lane.hpp"

namespace postrider::service {

void lane::adopt(const redis::saved_place& saved) {
    known.emplace();
    known->know_until(saved.number);
    for (const auto& [name, number] : saved.behind) {
        if (route.policy == event::policy::group)
            known->know_key(name, number);
        else
            known->know_one(number);
    }
}

bool lane::knows(std::uint64_t number, const std::string& key, bool in_order) {
    if (!known || number == 0) return false;
    if (number <= known->highest()) return known->has(number, key);
    if (in_order) known.reset();
    return false;
}

redis::place lane::place() const {
    redis::place p;
    p.route = route.name;
    if (route.policy == event::policy::immediate) p.kind = redis::place::order::in_order;
    if (route.policy == event::policy::delay) p.kind = redis::place::order::single;
    if (!markers.empty()) {
        p.marker = markers.back().marker;
        p.base = markers.back().number;
    }
    return p;
}

void lane::add_mark(event::parked& p) const {
    if (markers.empty()) return;
    const auto& latest = markers.back();
    p.marks.emplace_back(event::mark_name(route.name, latest.marker), latest.number);
}

event::dead_letter lane::letter() const {
    event::dead_letter letter;
    letter.route = route.name;
    letter.channel = route.channel;
    letter.target = route.target;
    letter.first = letter.last = core::wall::now();
    return letter;
}

}  // namespace postrider::service
