#include "core/percentiles.hpp"

#include <algorithm>
#include <cstddef>

namespace postrider::core {

percentiles percentiles_of(std::vector<double> samples) {
    if (samples.empty()) return {};
    std::sort(samples.begin(), samples.end());
    // In whole numbers, because 0.95 × 20 in floating point is a little above 19.
    const auto rank = [&samples](std::size_t percent) {
        return samples[(percent * samples.size() + 99) / 100 - 1];
    };
    return {.p50 = rank(50), .p95 = rank(95), .p99 = rank(99), .max = samples.back()};
}

}  // namespace postrider::core
