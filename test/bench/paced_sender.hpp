#pragma once

#include <atomic>
#include <cstdint>
#include <stop_token>
#include <string>
#include <thread>

namespace postrider::bench {

// Sends events at a steady rate, what is due in one transaction every millisecond. Each event's created_at is
// Postgres's time in microseconds since 1970, taken right before the transaction's NOTIFYs.
class paced_sender {
 public:
    paced_sender(const std::string& postgres_url, int per_second);

    std::int64_t sent() const { return sent_; }
    void stop();  // what is under way is sent

 private:
    void run(const std::stop_token& stopped, const std::string& postgres_url, int per_second);

    std::atomic<std::int64_t> sent_ = 0;
    std::jthread thread_;
};

}  // namespace postrider::bench
