#include "event/unnumbered.hpp"

#include <algorithm>
#include <string>

namespace postrider::event {

const marked_number* find_marker(const std::vector<marked_number>& markers, std::string_view name) {
    const auto found =
        std::find_if(markers.begin(), markers.end(), [&](const auto& m) { return m.marker == name; });
    return found == markers.end() ? nullptr : &*found;
}

std::vector<marked_number> known_markers(std::vector<marked_number> saved,
                                         const std::vector<parked_range>& ranges, std::string_view route) {
    for (const auto& r : ranges) {
        const auto name = marker_in(r.route, route);
        if (name.empty()) continue;
        if (find_marker(saved, name) == nullptr) saved.push_back({std::string(name), r.last});
    }
    return saved;
}

bool number_distances(const std::vector<parked_range>& ranges, std::string_view route,
                      std::vector<marked_number>& known, std::uint64_t highest) {
    bool any = false;
    for (const auto& m : known)
        highest = std::max(highest, m.number);
    for (const auto& r : ranges) {
        const auto name = distance_marker_in(r.route, route);
        if (name.empty()) continue;
        any = true;
        if (find_marker(known, name) == nullptr)
            known.push_back({std::string(name), highest + hearing::gap_width});
        highest = std::max(highest, find_marker(known, name)->number + r.last);
    }
    return any;
}

void widen_by_markers(std::vector<parked_range>& ranges, std::string_view route,
                      const std::vector<marked_number>& markers) {
    const auto stretches = ranges;
    for (const auto& r : stretches) {
        const auto* m = find_marker(markers, distance_marker_in(r.route, route));
        if (m == nullptr) continue;
        parked first;
        parked last;
        first.numbers.emplace_back(route, m->number + r.first);
        last.numbers.emplace_back(route, m->number + r.last);
        widen(ranges, first, last);
    }
}

std::uint64_t number_of(const parked& p, std::string_view route, const std::vector<marked_number>& markers) {
    const auto number = p.number_of(route);
    const auto distance = number == 0 ? p.distance(route) : std::nullopt;
    const auto* m = distance ? find_marker(markers, distance->marker) : nullptr;
    return m == nullptr ? number : m->number + distance->number;
}

side side_of(const std::vector<parked_range>& ranges, std::string_view route, const hearing& h,
             std::size_t channel, const numbering& numbers, std::uint64_t number) {
    bool is_before = false;
    bool is_behind = false;
    for (const auto& r : ranges) {
        std::uint64_t here = 0;
        std::uint64_t offset = 0;
        if (r.route == route) {
            here = numbers.of(number);
        } else if (const auto name = distance_marker_in(r.route, route); !name.empty()) {
            const auto before = h.before(channel, name);
            here = before ? number : 0;
            offset = before.value_or(0);
        } else {
            continue;
        }
        // One that cannot be compared was heard later, because who has put those aside led then.
        if (here == 0 || here > offset + r.last)
            is_behind = true;
        else if (here < offset + r.first)
            is_before = true;
        else
            return side::there;
    }
    return is_before && !is_behind ? side::before : side::behind;
}

}  // namespace postrider::event
