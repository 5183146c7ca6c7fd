#include "core/breaker.hpp"

#include <algorithm>
#include <utility>

namespace postrider::core {

bool breaker::allows(steady::time_point now) {
    if (state_ == state::open && now >= until_) {
        early_spent_ = false;
        enter(state::half_open, now);
    }
    return state_ != state::open;
}

void breaker::succeeded(steady::time_point now) {
    if (state_ == state::half_open && ++trials_ >= thresholds_.trials) reset(now);
}

void breaker::failed(steady::time_point now, std::string why) {
    if (state_ == state::open) return;
    if (state_ == state::half_open) return open(now, std::move(why));
    failures_.push_back(now);
    if (failures_.size() < thresholds_.failures) return;
    if (now - failures_.front() <= thresholds_.window) return open(now, std::move(why));
    failures_.pop_front();
}

void breaker::try_now(steady::time_point now) {
    if (state_ == state::open) enter(state::half_open, now);
}

bool breaker::try_early(steady::time_point now) {
    if (state_ != state::open || early_spent_) return false;
    early_spent_ = true;
    const auto ends = until_;
    enter(state::half_open, now);
    resume_until_ = ends;
    return true;
}

void breaker::reset(steady::time_point now) {
    failures_.clear();
    open_for_ = thresholds_.open;
    early_spent_ = false;
    reason_.clear();
    if (state_ != state::closed) enter(state::closed, now);
}

void breaker::open(steady::time_point now, std::string why) {
    reason_ = std::move(why);
    const auto resume = resume_until_;
    enter(state::open, now);
    if (resume > now) {
        until_ = resume;
        return;
    }
    until_ = now + open_for_;
    open_for_ = std::min(2 * open_for_, std::max(thresholds_.open, thresholds_.longest_open));
}

void breaker::enter(state s, steady::time_point now) {
    state_ = s;
    since_ = now;
    until_ = {};
    resume_until_ = {};
    trials_ = 0;
}

std::string_view name(breaker::state s) {
    switch (s) {
        case breaker::state::open:
            return "open";
        case breaker::state::half_open:
            return "half_open";
        case breaker::state::closed:
            break;
    }
    return "closed";
}

}  // namespace postrider::core
