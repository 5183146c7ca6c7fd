#include "event/numbering.hpp"

#include <algorithm>
#include <charconv>
#include <limits>
#include <utility>

#include "event/next_word.hpp"

namespace postrider::event {
namespace {

constexpr std::size_t most_markers = 64;

auto find(const std::vector<marked_number>& markers, std::string_view name) {
    return std::find_if(markers.rbegin(), markers.rend(), [&](const auto& m) { return m.marker == name; });
}

}  // namespace

std::string markers_text(const std::vector<marked_number>& markers) {
    std::string text;
    for (const auto& m : markers) {
        if (!text.empty()) text += ' ';
        text.append(m.marker).append(" ").append(std::to_string(m.number));
    }
    return text;
}

std::vector<marked_number> read_markers(std::string_view text) {
    std::vector<marked_number> all;
    while (!text.empty()) {
        const auto name = next_word(text);
        const auto digits = next_word(text);
        std::uint64_t number = 0;
        const auto* end = digits.data() + digits.size();
        const auto [at, error] = std::from_chars(digits.data(), end, number);
        if (!name.empty() && error == std::errc() && at == end)
            numbering::add(all, {std::string(name), number});
    }
    return all;
}

numbering::numbering(const hearing& h, std::size_t channel, const std::vector<marked_number>& saved,
                     std::uint64_t highest) {
    std::vector<piece> common;
    for (const auto& m : h.markers(channel)) {
        const auto there = find(saved, m.marker);
        if (there != saved.rend()) common.push_back({m.number, there->number, true});
    }
    const auto begins = h.sessions(channel);
    std::uint64_t used = 0;
    for (std::size_t i = 0; i < begins.size(); ++i) {
        const auto is_before = [](const piece& p, std::uint64_t n) { return p.after < n; };
        const auto end = i + 1 < begins.size() ? begins[i + 1] : std::numeric_limits<std::uint64_t>::max();
        const auto first = std::lower_bound(common.begin(), common.end(), begins[i], is_before);
        const auto last = std::lower_bound(first, common.end(), end, is_before);
        add_session(begins[i], {first, last}, used);
        used = std::max(used, before(end - hearing::gap_width).value_or(0));
    }
    // Of the session that goes on no leader has heard anything, or its marker would be known. The gap is for
    // the numbers of what a leader could not save, and of what others have heard before.
    if (pieces_.back().known) return;
    for (const auto& m : saved)
        highest = std::max(highest, m.number);
    pieces_.back() = {begins.back(), std::max(highest, used) + hearing::gap_width, true};
}

// Before the first marker that both have heard the events are counted backward, as far as there is room.
void numbering::add_session(std::uint64_t begin, const std::vector<piece>& common, std::uint64_t used) {
    pieces_.push_back({begin, 0, false});
    for (const auto& p : common) {
        if (p.number < std::max(used, before(p.after).value_or(0))) continue;  // it makes no sense here
        if (pieces_.back().known) {
            pieces_.push_back(p);
            continue;
        }
        const auto room = std::min(p.after - begin, p.number - used);
        if (room == p.after - begin) pieces_.pop_back();
        pieces_.push_back({p.after - room, p.number - room, true});
    }
}

std::uint64_t numbering::of(std::uint64_t number) const {
    const auto last = number == 0 ? std::nullopt : before(number - 1);
    return last ? *last + 1 : 0;
}

std::optional<std::uint64_t> numbering::before(std::uint64_t number) const {
    const auto behind = std::upper_bound(pieces_.begin(), pieces_.end(), number,
                                         [](std::uint64_t n, const piece& p) { return n < p.after; });
    if (behind == pieces_.begin() || !std::prev(behind)->known) return std::nullopt;
    return std::prev(behind)->number + (number - std::prev(behind)->after);
}

std::vector<marked_number> numbering::markers(const hearing& h, std::size_t channel,
                                              const std::vector<marked_number>& saved) const {
    auto all = saved;
    for (const auto& m : h.markers(channel)) {
        const auto number = before(m.number);
        if (number && find(saved, m.marker) == saved.rend()) all.push_back({m.marker, *number});
    }
    std::stable_sort(all.begin(), all.end(),
                     [](const auto& a, const auto& b) { return a.number < b.number; });
    if (all.size() > most_markers) all.erase(all.begin(), all.end() - most_markers);
    return all;
}

void numbering::add(std::vector<marked_number>& markers, marked_number m) {
    if (markers.size() == most_markers) markers.erase(markers.begin());
    markers.push_back(std::move(m));
}

}  // namespace postrider::event
