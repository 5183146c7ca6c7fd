#include "event/hearing.hpp"

#include <algorithm>
#include <utility>

namespace postrider::event {
namespace {

constexpr std::size_t remembered_markers = 256;
constexpr std::size_t remembered_sessions = 256;
constexpr std::size_t longest_marker = 64;

}  // namespace

void hearing::gap() {
    for (auto& n : counts_)
        n += gap_width;
    sessions_.push_back(counts_);
    if (sessions_.size() > remembered_sessions) sessions_.pop_front();
}

std::vector<std::uint64_t> hearing::sessions(std::size_t channel) const {
    std::vector<std::uint64_t> all;
    for (const auto& s : sessions_)
        all.push_back(s[channel]);
    return all;
}

bool hearing::mark(std::string_view name) {
    if (name.empty() || name.size() > longest_marker || name.find(' ') != name.npos) return false;
    markers_.push_back({std::string(name), counts_});
    if (markers_.size() > remembered_markers) markers_.pop_front();
    return true;
}

std::vector<marked_number> hearing::markers(std::size_t channel) const {
    std::vector<marked_number> all;
    for (const auto& m : markers_)
        all.push_back({m.name, m.counts[channel]});
    return all;
}

std::optional<std::uint64_t> hearing::before(std::size_t channel, std::string_view name) const {
    const auto found =
        std::find_if(markers_.rbegin(), markers_.rend(), [&](const marker& m) { return m.name == name; });
    if (found == markers_.rend()) return std::nullopt;
    return found->counts[channel];
}

std::optional<marked_number> hearing::distance(std::size_t channel, std::uint64_t number) const {
    const auto latest = std::find_if(markers_.rbegin(), markers_.rend(),
                                     [&](const marker& m) { return m.counts[channel] < number; });
    if (latest == markers_.rend()) return std::nullopt;
    return marked_number{latest->name, number - latest->counts[channel]};
}

void hearing::stretch::push(heard h) {
    bytes += cost(h);
    events.push_back(std::move(h));
}

hearing::heard hearing::stretch::pop() {
    auto first = std::move(events.front());
    events.pop_front();
    bytes -= cost(first);
    return first;
}

void hearing::hold(heard h) {
    newest_.push(std::move(h));
}

std::optional<hearing::heard> hearing::take() {
    if (!oldest_.events.empty()) return oldest_.pop();
    if (!newest_.events.empty()) return newest_.pop();
    return std::nullopt;
}

std::size_t hearing::forget_between(std::size_t oldest_bytes, std::size_t newest_bytes) {
    while (!newest_.events.empty() && oldest_.bytes + cost(newest_.events.front()) <= oldest_bytes)
        oldest_.push(newest_.pop());
    std::size_t forgotten = 0;
    for (; newest_.bytes > newest_bytes; ++forgotten)
        leave_out(newest_.pop());
    return forgotten;
}

void hearing::leave_out(const heard& h) {
    const auto same = std::find_if(holes_.rbegin(), holes_.rend(),
                                   [&](const hole& other) { return other.channel == h.channel; });
    if (same != holes_.rend() && same->last + 1 == h.number)
        same->last = h.number;
    else
        holes_.push_back({h.channel, h.number, h.number});
}

}  // namespace postrider::event
