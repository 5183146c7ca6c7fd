#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace postrider::core {

// Counts samples by size, for one thread: an add() is a search among a few numbers, so that the way of an
// event can afford it.
class histogram {
 public:
    // `bounds` are the largest samples of each bucket, ascending; one bucket more takes what lies above.
    explicit histogram(std::vector<double> bounds)
        : bounds_(std::move(bounds)), counts_(bounds_.size() + 1) {}

    void add(double sample) {
        const auto at = std::lower_bound(bounds_.begin(), bounds_.end(), sample);
        ++counts_[static_cast<std::size_t>(at - bounds_.begin())];
        sum_ += sample;
    }

    const std::vector<double>& bounds() const { return bounds_; }
    const std::vector<std::uint64_t>& counts() const { return counts_; }  // of each bucket alone
    double sum() const { return sum_; }

 private:
    std::vector<double> bounds_;
    std::vector<std::uint64_t> counts_;
    double sum_ = 0;
};

inline double seconds_between(std::chrono::steady_clock::time_point from,
                              std::chrono::steady_clock::time_point to) {
    return std::max(0.0, std::chrono::duration<double>(to - from).count());
}

}  // namespace postrider::core
