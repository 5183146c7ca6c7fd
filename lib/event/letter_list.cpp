#include "event/letter_list.hpp"

#include <algorithm>
#include <functional>
#include <unordered_set>
#include <utility>

namespace postrider::event {
namespace {

std::size_t hash(const dead_letter& l) {
    return std::hash<std::string>{}(l.payload);
}

}  // namespace

std::uint64_t letter_list::add(dead_letter l) {
    const auto known = events_.find(hash(l));
    const auto at = known == events_.end() ? letters_.end() : letters_.find(known->second);
    if (at != letters_.end() && same_event(at->second, l)) {
        at->second.attempts += l.attempts;
        at->second.last = std::max(at->second.last, l.last);
        return 0;
    }
    insert(++last_number_, std::move(l));
    return trim();
}

void letter_list::insert(std::int64_t number, dead_letter l) {
    bytes_ += l.bytes();
    if (l.kind == dead_letter::origin::event) events_[hash(l)] = number;
    letters_.emplace(number, std::move(l));
}

dead_letter letter_list::remove(std::map<std::int64_t, dead_letter>::iterator at) {
    auto l = std::move(at->second);
    bytes_ -= l.bytes();
    const auto known = events_.find(hash(l));
    if (known != events_.end() && known->second == at->first) events_.erase(known);
    letters_.erase(at);
    return l;
}

// The newest stays even where it alone is too large: what came last is what an operator looks for.
std::uint64_t letter_list::trim() {
    std::uint64_t gone = 0;
    while (letters_.size() > 1 && (letters_.size() > most_ || bytes_ > most_bytes_))
        gone += remove(letters_.begin()).attempts;
    return gone;
}

std::vector<letter_list::numbered> letter_list::take(std::size_t most) {
    std::vector<numbered> taken;
    std::unordered_set<std::size_t> payloads;
    while (!letters_.empty() && taken.size() < most) {
        const auto& [number, l] = *letters_.begin();
        if (l.kind == dead_letter::origin::event && !payloads.insert(hash(l)).second) break;
        const auto at = number;
        taken.push_back({at, remove(letters_.begin())});
    }
    return taken;
}

std::uint64_t letter_list::put_back(std::vector<numbered> letters) {
    for (auto& [number, l] : letters) {
        const auto known = events_.find(hash(l));
        // One that came meanwhile stays the place where further ones are counted.
        const auto newer = known == events_.end() ? 0 : known->second;
        insert(number, std::move(l));
        if (newer != 0) events_[hash(letters_.at(number))] = newer;
    }
    return trim();
}

std::optional<std::int64_t> letter_list::earlier_push(std::int64_t number) const {
    const auto at = letters_.find(number);
    if (at == letters_.end() || at->second.kind != dead_letter::origin::push) return std::nullopt;
    const auto& later = at->second;
    const auto earlier = std::find_if(letters_.begin(), at, [&](const auto& each) {
        const dead_letter& l = each.second;
        return l.kind == dead_letter::origin::push && l.route == later.route && l.key == later.key;
    });
    if (earlier == at) return std::nullopt;
    return earlier->first;
}

std::optional<dead_letter> letter_list::take_one(std::int64_t number) {
    const auto at = letters_.find(number);
    if (at == letters_.end()) return std::nullopt;
    return remove(at);
}

std::vector<letter_list::numbered> letter_list::find(const letter_filter& f, dead_letter::wall_time now,
                                                     std::int64_t after, std::size_t limit) const {
    std::vector<numbered> found;
    for (auto at = letters_.upper_bound(after); at != letters_.end() && found.size() < limit; ++at) {
        const bool meant = f.ids.empty() || std::find(f.ids.begin(), f.ids.end(), at->first) != f.ids.end();
        if (meant && f.matches(at->second, now)) found.push_back({at->first, at->second});
    }
    return found;
}

}  // namespace postrider::event
