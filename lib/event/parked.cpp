#include "event/parked.hpp"

#include <algorithm>
#include <charconv>

#include "event/next_word.hpp"

namespace postrider::event {
namespace {

// What stands behind "@" and a route's name; empty: it does not begin with them.
std::string_view behind_route(std::string_view name, std::string_view route) {
    if (!name.starts_with('@') || !name.substr(1).starts_with(route)) return {};
    return name.substr(1 + route.size());
}

}  // namespace

bool parked::is_for(std::string_view route) const {
    return std::any_of(numbers.begin(), numbers.end(), [&](const auto& n) { return n.first == route; });
}

std::uint64_t parked::number_of(std::string_view route) const {
    const auto found =
        std::find_if(numbers.begin(), numbers.end(), [&](const auto& n) { return n.first == route; });
    return found == numbers.end() ? 0 : found->second;
}

std::optional<marked_number> parked::distance(std::string_view route) const {
    for (const auto& [name, number] : numbers)
        if (const auto marker = distance_marker_in(name, route); !marker.empty())
            return marked_number{std::string(marker), number};
    return std::nullopt;
}

std::optional<std::uint64_t> parked::cancels_until(std::string_view route) const {
    const auto wanted = cancel_name(route);
    for (const auto* words : {&numbers, &marks})
        for (const auto& [name, number] : *words)
            if (name == wanted) return number;
    return std::nullopt;
}

bool parked::was_taken() const {
    return id != no_id && id <= 0 && std::none_of(numbers.begin(), numbers.end(), [&](const auto& n) {
               return distance(n.first).has_value();
           });
}

std::string mark_name(std::string_view route, std::string_view marker) {
    return std::string("@").append(route).append("@").append(marker);
}

// Markers are hexadecimal.
std::string distance_name(std::string_view route, std::string_view marker) {
    return std::string("@").append(route).append("@@").append(marker);
}

std::string cancel_name(std::string_view route) {
    return std::string("<").append(route);
}

std::string_view marker_in(std::string_view name, std::string_view route) {
    const auto rest = behind_route(name, route);
    return rest.starts_with('@') && !rest.substr(1).starts_with('@') ? rest.substr(1) : std::string_view();
}

std::string_view distance_marker_in(std::string_view name, std::string_view route) {
    const auto rest = behind_route(name, route);
    return rest.starts_with("@@") ? rest.substr(2) : std::string_view();
}

std::string numbers_text(const parked& p) {
    std::string text;
    for (const auto* words : {&p.numbers, &p.marks})
        for (const auto& [name, number] : *words) {
            if (!text.empty()) text += ' ';
            text.append(name).append(" ").append(std::to_string(number));
        }
    return text;
}

void read_numbers(std::string_view text, parked& into) {
    while (!text.empty()) {
        const auto route = next_word(text);
        const auto digits = next_word(text);
        std::uint64_t number = 0;
        std::from_chars(digits.data(), digits.data() + digits.size(), number);
        into.numbers.emplace_back(route, number);
    }
}

void widen(std::vector<parked_range>& ranges, const parked& first, const parked& last) {
    for (const auto& named : last.numbers) {
        const auto& route = named.first;
        const auto number = named.second;
        if (number == 0) continue;
        const auto from = first.number_of(route);
        const auto same = std::find_if(ranges.begin(), ranges.end(),
                                       [&](const parked_range& r) { return r.route == route; });
        if (same == ranges.end()) {
            ranges.push_back({route, from, number});
        } else {
            same->first = std::min(same->first, from);
            same->last = std::max(same->last, number);
        }
    }
}

const parked_range* range_of(const std::vector<parked_range>& ranges, std::string_view route) {
    const auto found =
        std::find_if(ranges.begin(), ranges.end(), [&](const parked_range& r) { return r.route == route; });
    return found == ranges.end() ? nullptr : &*found;
}

}  // namespace postrider::event
