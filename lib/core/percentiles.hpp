#pragma once

#include <vector>

namespace postrider::core {

// Of the samples, in their unit; all 0 without a sample.
struct percentiles {
    double p50 = 0;
    double p95 = 0;
    double p99 = 0;
    double max = 0;
};

// By nearest rank: the smallest sample that at least p percent of the samples do not exceed. The order of the
// samples does not matter; they are finite numbers.
percentiles percentiles_of(std::vector<double> samples);

}  // namespace postrider::core
