#pragma once

#include <chrono>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "event/grouper.hpp"
#include "event/payload.hpp"
#include "event/route.hpp"

namespace postrider::event {

// An event that leaves later.
struct delayed {
    std::uint64_t handle = 0;  // unique within this process
    std::string key;
    std::string id;
    std::string payload;
    std::string token;         // names its copy in Redis, unique across processes
    std::uint64_t number = 0;  // the event's place among those of its route; 0: not counted
    steady_time due{};
    wall_time scheduled_for{};
};

enum class delay_decision { scheduled, skipped };

// Decides whether and when: pure. The dice are thrown from `seed` (for instance a hash of the event's id), so
// that the same event gets the same answer again after a restart, on every platform. The wait lies within
// [min, max]; where max is below min, it is min.
struct delay_choice {
    delay_decision decision = delay_decision::skipped;
    milliseconds wait{0};
};
delay_choice choose_delay(const delaying& rules, std::uint64_t seed);

// Holds the events that wait, ordered by their time: pure, fed with (event, now).
class delays {
 public:
    void add(delayed d);
    std::optional<steady_time> next_deadline() const;
    // Takes those whose time has come, in order of due, then of arrival.
    void due(steady_time now, std::vector<delayed>& leaving);
    // Takes what waits under this key, in order of due; of what is counted only the numbers up to `last`.
    void cancel(std::string_view key, std::vector<delayed>& cancelled,
                std::uint64_t last = std::numeric_limits<std::uint64_t>::max());
    // Takes everything, in order of due.
    void take_all(std::vector<delayed>& leaving);
    std::size_t size() const { return waiting_.size(); }
    // Visits all that wait (for saving them again after Redis lost its data), in order of due.
    template <class Visitor>
    void for_each(Visitor visit) const {
        for (const auto& [at, d] : waiting_)
            visit(d);
    }
    // Visits at most `limit` of them, those that are due first, in order.
    template <class Visitor>
    void visit_next(std::size_t limit, Visitor visit) const {
        for (auto next = waiting_.begin(); limit > 0 && next != waiting_.end(); ++next, --limit)
            visit(next->second);
    }

 private:
    using place = std::pair<steady_time, std::uint64_t>;  // due, then arrival

    std::map<place, delayed> waiting_;
    std::set<std::tuple<std::string_view, steady_time, std::uint64_t>> by_key_;  // views into waiting_
    std::uint64_t arrivals_ = 0;
};

}  // namespace postrider::event
