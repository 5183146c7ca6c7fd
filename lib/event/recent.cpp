#include "event/recent.hpp"

#include <iterator>
#include <utility>

namespace postrider::event {

void recent::add(hearing::heard h) {
    forget_before(h.at - time_kept);
    bytes_ += h.payload.size();
    events_.push_back(std::move(h));
    while (bytes_ > most_bytes)
        pop();
}

std::vector<hearing::heard> recent::take(steady_time now) {
    forget_before(now - time_kept);
    std::vector<hearing::heard> all(std::make_move_iterator(events_.begin()),
                                    std::make_move_iterator(events_.end()));
    events_.clear();
    bytes_ = 0;
    return all;
}

void recent::forget_before(steady_time t) {
    while (!events_.empty() && events_.front().at < t)
        pop();
}

void recent::pop() {
    bytes_ -= events_.front().payload.size();
    events_.pop_front();
}

}  // namespace postrider::event
