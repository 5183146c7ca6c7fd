#include "service/live.hpp"

#include <algorithm>
#include <numeric>

#include "core/redact.hpp"

namespace postrider::service {
namespace {

using core::steady;

constexpr std::size_t most_groups = 50;
constexpr std::size_t most_looked_at = 2'000;  // of each route
constexpr std::size_t longest_key = 120;       // bytes

http::open_group shown(const lane& l, std::string_view key, std::uint64_t messages, steady::time_point due,
                       steady::time_point now) {
    http::open_group g;
    g.route = l.route.name;
    // First redacted: a URL without its end would show half of its password.
    g.key = core::redact(key);
    if (g.key.size() > longest_key) g.key.replace(longest_key, std::string::npos, "…");
    g.messages = messages;
    g.due_in = std::chrono::ceil<core::milliseconds>(due - now);
    return g;
}

std::vector<http::open_group> next_due(const bridge& b) {
    const auto now = steady::now();
    std::vector<http::open_group> next;
    for (const auto& l : b.lanes()) {
        for (const auto& g : l.groups.next_due(most_groups, most_looked_at))
            next.push_back(shown(l, g.key, g.count, g.due, now));
        l.waiting.visit_next(
            most_groups, [&](const event::delayed& d) { next.push_back(shown(l, d.key, 1, d.due, now)); });
    }
    std::stable_sort(next.begin(), next.end(),
                     [](const auto& a, const auto& c) { return a.due_in < c.due_in; });
    if (next.size() > most_groups) next.resize(most_groups);
    return next;
}

// The classes are the same for every route.
void add_sizes(http::live& all, const core::histogram& sizes) {
    const auto& counts = sizes.counts();
    all.group_sizes.resize(counts.size());
    for (std::size_t i = 0; i < counts.size(); ++i) {
        if (i < sizes.bounds().size()) all.group_sizes[i].first = sizes.bounds()[i];
        all.group_sizes[i].second += counts[i];
    }
}

}  // namespace

http::live live_of(const bridge& b, http::breaker breaker) {
    http::live all;
    all.breaker = std::move(breaker);
    all.next_due = next_due(b);
    for (const auto& l : b.lanes())
        if (l.route.policy == event::policy::group) add_sizes(all, l.count.group_events);
    const auto& trips = b.carrier().current().latency;
    all.redis_seconds = trips.sum();
    all.redis_round_trips = std::accumulate(trips.counts().begin(), trips.counts().end(), std::uint64_t{0});
    return all;
}

}  // namespace postrider::service
