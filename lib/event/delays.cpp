#include "event/delays.hpp"

#include <algorithm>
#include <iterator>

namespace postrider::event {

namespace {

// splitmix64 (Steele, Lea, Flood 2014): neighbouring seeds give unrelated numbers.
std::uint64_t next_bits(std::uint64_t& state) {
    state += 0x9e3779b97f4a7c15U;
    auto z = state;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31);
}

// Within [0, 1), from 53 bits: the standard's distributions differ between libraries.
double next_fraction(std::uint64_t& state) {
    constexpr double unit = 1.0 / static_cast<double>(std::uint64_t{1} << 53);
    return static_cast<double>(next_bits(state) >> 11) * unit;
}

}  // namespace

delay_choice choose_delay(const delaying& rules, std::uint64_t seed) {
    if (!(next_fraction(seed) < rules.probability)) return {};
    double share = next_fraction(seed);
    // The mean of two even throws is triangular, its mode in the middle.
    if (rules.spread == distribution::triangular) share = (share + next_fraction(seed)) / 2;
    const auto span = std::max<milliseconds::rep>(0, (rules.max - rules.min).count());
    const auto beyond_min = static_cast<milliseconds::rep>(share * (static_cast<double>(span) + 1.0));
    return {delay_decision::scheduled, rules.min + milliseconds(std::min(beyond_min, span))};
}

void delays::add(delayed d) {
    const place at{d.due, arrivals_++};
    const auto made = waiting_.emplace(at, std::move(d)).first;
    by_key_.emplace(made->second.key, at.first, at.second);
}

std::optional<steady_time> delays::next_deadline() const {
    if (waiting_.empty()) return std::nullopt;
    return waiting_.begin()->first.first;
}

void delays::due(steady_time now, std::vector<delayed>& leaving) {
    while (!waiting_.empty() && waiting_.begin()->first.first <= now) {
        const auto first = waiting_.begin();
        by_key_.erase({first->second.key, first->first.first, first->first.second});
        leaving.push_back(std::move(first->second));
        waiting_.erase(first);
    }
}

void delays::cancel(std::string_view key, std::vector<delayed>& cancelled, std::uint64_t last) {
    auto entry = by_key_.lower_bound({key, steady_time::min(), 0});
    while (entry != by_key_.end() && std::get<0>(*entry) == key) {
        const auto found = waiting_.find({std::get<1>(*entry), std::get<2>(*entry)});
        if (found->second.number > last) {
            ++entry;
            continue;
        }
        // The index looks into the event's key, so its entry goes first.
        entry = by_key_.erase(entry);
        cancelled.push_back(std::move(found->second));
        waiting_.erase(found);
    }
}

void delays::take_all(std::vector<delayed>& leaving) {
    by_key_.clear();
    for (auto& [at, d] : waiting_)
        leaving.push_back(std::move(d));
    waiting_.clear();
}

}  // namespace postrider::event
