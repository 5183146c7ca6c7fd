#include "bench/paced_sender.hpp"

#include <algorithm>

#include "bench/events.hpp"
#include "bench/figures.hpp"

namespace postrider::bench {
namespace {

constexpr std::chrono::milliseconds tick{1};
// After a long stall the rest follows in the next transactions.
constexpr std::int64_t most_at_once = 1'000;

}  // namespace

paced_sender::paced_sender(const std::string& postgres_url, int per_second)
    : thread_([this, postgres_url, per_second](const std::stop_token& stopped) {
          run(stopped, postgres_url, per_second);
      }) {}

void paced_sender::stop() {
    thread_.request_stop();
    if (thread_.joinable()) thread_.join();
}

void paced_sender::run(const std::stop_token& stopped, const std::string& postgres_url, int per_second) {
    support::sql sql(postgres_url);
    const auto began = clock::now();
    for (auto next = began + tick; !stopped.stop_requested(); next = std::max(next + tick, clock::now())) {
        std::this_thread::sleep_until(next);
        const auto due = static_cast<std::int64_t>(seconds_since(began) * per_second);
        const auto first = sent_ + 1;
        const auto last = std::min(due, sent_ + most_at_once);
        if (last < first) continue;
        send(sql, first, last, "(extract(epoch from clock_timestamp()) * 1000000)::bigint::text");
        sent_ = last;
    }
}

}  // namespace postrider::bench
