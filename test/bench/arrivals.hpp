#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <stop_token>
#include <thread>
#include <vector>

namespace postrider::bench {

// Takes from the list bot_messages what a paced_sender sent, and sees how long each event was on its way.
class arrivals {
 public:
    explicit arrivals(std::uint16_t redis_port);

    std::int64_t count() const { return count_; }
    // In microseconds, of all that came since the last call.
    std::vector<double> take();

 private:
    void run(const std::stop_token& stopped, std::uint16_t redis_port);

    std::atomic<std::int64_t> count_ = 0;
    std::mutex mutex_;
    std::vector<double> delays_;
    std::jthread thread_;
};

}  // namespace postrider::bench
