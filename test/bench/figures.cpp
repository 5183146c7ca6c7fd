#include "bench/figures.hpp"

#include <algorithm>
#include <cstddef>

namespace postrider::bench {

double seconds_since(clock::time_point t) {
    return std::chrono::duration<double>(clock::now() - t).count();
}

double median(std::vector<double> all) {
    std::sort(all.begin(), all.end());
    return all[all.size() / 2];
}

double percentile(std::vector<double> all, double p) {
    std::sort(all.begin(), all.end());
    return all[std::min(all.size() - 1, static_cast<std::size_t>(p * static_cast<double>(all.size())))];
}

}  // namespace postrider::bench
