// The bridge and what it could not deliver.
#include <algorithm>

#include "service/bridge.hpp"

namespace postrider::service {

using core::steady;

void bridge::letter_settled(const event::dead_letter& l) {
    // While another leads, what stands in Redis is that one's.
    if (l.kind != event::dead_letter::origin::push || !restored_) return;
    const auto at = std::find_if(lanes_.begin(), lanes_.end(),
                                 [&](const lane& other) { return other.route.name == l.route; });
    if (at == lanes_.end()) return;
    // The next group of the key has the same name in Redis, and takes it over as it is first written.
    const bool taken_over =
        at->route.policy == event::policy::group &&
        (at->groups.is_open(l.key) || (!l.saved_as.empty() && pusher_.holds(at->line, l.saved_as)));
    if (!l.saved_as.empty() && !taken_over) saves(*at).drop(l.saved_as, true);
    for (const auto& [time, id] : l.seen)
        saves(*at).note_seen(l.seen_in, time, id);
    if (saves(*at).has_work()) pusher_.saves_changed(at->line);
}

bool bridge::take_again(const event::dead_letter& l) {
    for (std::size_t i = 0; i < lanes_.size(); ++i) {
        if (lanes_[i].route.name != l.route) continue;
        take(i, l.payload, 0, steady::now());
        return true;
    }
    return false;
}

}  // namespace postrider::service
