#pragma once

#include <array>
#include <cstdint>

#include "core/clock.hpp"

namespace postrider::core {

// How many a second, over the last ten full seconds: pure.
class rate {
 public:
    void add(std::uint64_t n, steady::time_point now) {
        advance(now);
        seconds_[slot(second_)] += n;
    }
    double per_second(steady::time_point now) const {
        std::uint64_t sum = 0;
        const auto current = second_of(now);
        for (auto s = current - 10; s < current; ++s)
            if (s <= second_ && s > second_ - slots) sum += seconds_[slot(s)];
        return static_cast<double>(sum) / 10.0;
    }

 private:
    static constexpr std::int64_t slots = 16;

    static std::int64_t second_of(steady::time_point t) {
        return std::chrono::duration_cast<std::chrono::seconds>(t.time_since_epoch()).count();
    }
    static std::size_t slot(std::int64_t second) { return static_cast<std::size_t>(second % slots); }
    void advance(steady::time_point now) {
        const auto current = second_of(now);
        if (current - second_ >= slots) {
            seconds_.fill(0);
            second_ = current;
        }
        while (second_ < current)
            seconds_[slot(++second_)] = 0;
    }

    std::array<std::uint64_t, slots> seconds_{};
    std::int64_t second_ = 0;
};

}  // namespace postrider::core
