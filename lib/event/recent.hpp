#pragma once

#include <cstddef>
#include <deque>
#include <vector>

#include "event/hearing.hpp"

namespace postrider::event {

// The latest events of some kind, for a while, bounded: pure.
class recent {
 public:
    static constexpr std::chrono::seconds time_kept{60};
    static constexpr std::size_t most_bytes = 1 << 20;  // of the payloads

    // An event that was heard after all that are here.
    void add(hearing::heard h);
    // Those heard within the time kept, oldest first; none is left.
    std::vector<hearing::heard> take(steady_time now);

 private:
    void forget_before(steady_time t);
    void pop();

    std::deque<hearing::heard> events_;
    std::size_t bytes_ = 0;
};

}  // namespace postrider::event
