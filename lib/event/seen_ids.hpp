#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace postrider::event {

// The ids of the latest events of a route, so that a catch-up that reaches back over them doubles nothing.
class seen_ids {
 public:
    using time = std::chrono::system_clock::time_point;

    // At most `limit` ids are kept; the oldest go first.
    explicit seen_ids(std::size_t limit = 1'000'000) : limit_(limit) {}

    // Remembers an id with its event's time; false: it was known already.
    bool add(std::string_view id, time t);

    // The same, but the newest event time stays as it is: for ids that an earlier process has left. That it
    // knew them does not mean that it knew everything before them.
    bool know(std::string_view id, time t);

    // The time an id was added with; empty: not known.
    std::optional<time> time_of(std::string_view id) const;

    // Forgets the ids of events before `t`.
    void forget_before(time t);

    // The newest event time added so far.
    std::optional<time> newest() const { return newest_; }
    // Takes a time from an earlier process.
    void raise_newest(time t);

    std::size_t size() const { return by_time_.size(); }

 private:
    struct hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view s) const { return std::hash<std::string_view>{}(s); }
    };
    using index = std::unordered_map<std::string, time, hash, std::equal_to<>>;

    void forget_oldest();

    std::size_t limit_;
    index known_;
    std::multimap<time, std::string_view> by_time_;  // views into known_, whose nodes do not move
    std::optional<time> newest_;
};

}  // namespace postrider::event
