#include "event/dead_letter.hpp"

namespace postrider::event {

std::size_t dead_letter::bytes() const {
    std::size_t ids = 0;
    for (const auto& [time, id] : seen)
        ids += sizeof(std::pair<std::int64_t, std::string>) + id.size();
    return sizeof(dead_letter) + token.size() + route.size() + channel.size() + key.size() + payload.size() +
           target.name.size() + saved_as.size() + seen_in.size() + reason.size() + error.size() + ids;
}

std::string_view name(dead_letter::origin kind) {
    return kind == dead_letter::origin::event ? "event" : "push";
}

bool same_event(const dead_letter& a, const dead_letter& b) {
    return a.kind == dead_letter::origin::event && b.kind == a.kind && a.route == b.route &&
           a.reason == b.reason && a.channel == b.channel && a.payload == b.payload;
}

bool letter_filter::empty() const {
    return route.empty() && reason.empty() && ids.empty() && !older_than && !newer_than;
}

bool letter_filter::matches(const dead_letter& l, dead_letter::wall_time now) const {
    return (route.empty() || l.route == route) && (reason.empty() || l.reason == reason) &&
           (!older_than || l.last <= now - *older_than) && (!newer_than || l.last >= now - *newer_than);
}

}  // namespace postrider::event
