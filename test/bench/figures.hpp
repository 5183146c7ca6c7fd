#pragma once

#include <chrono>
#include <vector>

namespace postrider::bench {

using clock = std::chrono::steady_clock;

double seconds_since(clock::time_point t);

// Of at least one figure.
double median(std::vector<double> all);
double percentile(std::vector<double> all, double p);  // p from 0 to 1

}  // namespace postrider::bench
