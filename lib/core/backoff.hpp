#pragma once

#include <chrono>
#include <random>

namespace postrider::core {

// Waiting times between attempts: first, 2 × first, 4 × first … up to cap, each shortened by up to a quarter,
// so that many clients that lost one server do not come back in step.
class backoff {
 public:
    using milliseconds = std::chrono::milliseconds;

    // first and cap are at least 1 ms; seed makes the jitter repeatable.
    backoff(milliseconds first, milliseconds cap, std::uint64_t seed);

    // The wait before the next attempt: within (3/4 × w, w], w being the doubled and capped step.
    milliseconds next();

    // Attempts handed out since the last success.
    unsigned attempts() const { return attempts_; }

    // After a success the next wait is the first one again.
    void reset() { attempts_ = 0; }

 private:
    milliseconds first_;
    milliseconds cap_;
    unsigned attempts_ = 0;
    std::mt19937_64 random_;
};

}  // namespace postrider::core
