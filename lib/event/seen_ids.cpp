#include "event/seen_ids.hpp"

namespace postrider::event {

bool seen_ids::add(std::string_view id, time t) {
    raise_newest(t);
    return know(id, t);
}

bool seen_ids::know(std::string_view id, time t) {
    if (known_.find(id) != known_.end()) return false;
    const auto added = known_.emplace(id, t).first;
    by_time_.emplace(t, added->first);
    if (by_time_.size() > limit_) forget_oldest();
    return true;
}

std::optional<seen_ids::time> seen_ids::time_of(std::string_view id) const {
    const auto found = known_.find(id);
    if (found == known_.end()) return std::nullopt;
    return found->second;
}

void seen_ids::forget_before(time t) {
    while (!by_time_.empty() && by_time_.begin()->first < t)
        forget_oldest();
}

void seen_ids::raise_newest(time t) {
    if (!newest_ || *newest_ < t) newest_ = t;
}

void seen_ids::forget_oldest() {
    const auto oldest = by_time_.begin();
    const auto known = known_.find(oldest->second);
    by_time_.erase(oldest);
    known_.erase(known);
}

}  // namespace postrider::event
