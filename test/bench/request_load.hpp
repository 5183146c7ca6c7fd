#pragma once

#include <atomic>
#include <cstdint>
#include <stop_token>
#include <thread>

namespace postrider::bench {

// Asks for /health at a steady rate over a few connections, a few requests at once on each, and comes anew
// after some hundred. What the server does not keep up with is not asked later.
class request_load {
 public:
    request_load(std::uint16_t port, int per_second);

    std::int64_t answered() const { return answered_; }  // with 200
    std::int64_t lost() const { return lost_; }          // with their connection

 private:
    void run(const std::stop_token& stopped, std::uint16_t port, int per_second);

    std::atomic<std::int64_t> answered_ = 0;
    std::atomic<std::int64_t> lost_ = 0;
    std::jthread thread_;
};

}  // namespace postrider::bench
