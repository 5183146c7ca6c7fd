#include "redis/slot_map.hpp"

#include <algorithm>

#include "redis/slot.hpp"
#include "redis/url.hpp"

namespace postrider::redis {
namespace {

struct range {
    std::int64_t first = 0;
    std::int64_t last = 0;
    address primary;
};

// [first, last, [host, port, …] of the primary, those of its replicas …]
core::result<range> read_range(const reply& r, const std::string& asked_host) {
    const core::failure odd{core::errc::protocol, "an unknown answer to CLUSTER SLOTS"};
    if (r.items.size() < 3 || r.items[2].items.size() < 2) return odd;
    range found{r.items[0].integer, r.items[1].integer, {}};
    if (found.first < 0 || found.last >= cluster_slots || found.first > found.last) return odd;
    const auto& host = r.items[2].items[0].text;
    const auto port = r.items[2].items[1].integer;
    if (port < 1 || port > 65'535) return odd;
    // Nothing, or "?" where it has yet to learn its name, means: as you came.
    found.primary = {host.empty() || host == "?" ? asked_host : host, static_cast<std::uint16_t>(port)};
    if (!is_host(found.primary.host)) return odd;
    return found;
}

}  // namespace

core::result<slot_map> slot_map::read(const reply& slots, const std::string& asked_host) {
    if (slots.is_error()) {
        std::string words = "it answered: " + slots.text;
        if (slots.text.find("cluster support disabled") != std::string::npos)
            words += "; this Redis is no cluster, so write redis:// in REDIS_URL";
        return core::failure{core::errc::server_error, std::move(words)};
    }
    std::vector<range> ranges;
    slot_map map;
    for (const auto& item : slots.items) {
        auto one = read_range(item, asked_host);
        if (!one) return one.error();
        map.primaries_.push_back(one->primary);
        ranges.push_back(std::move(*one));
    }
    if (ranges.empty())
        return core::failure{core::errc::server_error, "no server of this cluster has any slot yet"};
    auto& all = map.primaries_;
    std::sort(all.begin(), all.end());
    all.erase(std::unique(all.begin(), all.end()), all.end());
    map.place_.assign(cluster_slots, 0);
    for (const range& r : ranges) {
        const auto at = std::lower_bound(all.begin(), all.end(), r.primary) - all.begin();
        std::fill(map.place_.begin() + r.first, map.place_.begin() + r.last + 1,
                  static_cast<std::uint16_t>(at + 1));
    }
    return map;
}

const address* slot_map::primary_of(std::uint16_t slot) const {
    if (slot >= place_.size() || place_[slot] == 0) return nullptr;
    return &primaries_[place_[slot] - 1U];
}

std::size_t slot_map::missing() const {
    if (place_.empty()) return cluster_slots;
    return static_cast<std::size_t>(std::count(place_.begin(), place_.end(), 0));
}

}  // namespace postrider::redis
