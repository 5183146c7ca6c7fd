#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <stop_token>
#include <thread>

namespace postrider::bench {

// Clients of /events that read all that comes.
class event_streams {
 public:
    event_streams(std::uint16_t port, std::size_t number);

    std::int64_t texts() const { return texts_; }  // of all of them
    std::int64_t lost() const { return lost_; }    // streams that could not be opened, or ended

 private:
    void run(const std::stop_token& stopped, std::uint16_t port, std::size_t number);

    std::atomic<std::int64_t> texts_ = 0;
    std::atomic<std::int64_t> lost_ = 0;
    std::jthread thread_;
};

}  // namespace postrider::bench
