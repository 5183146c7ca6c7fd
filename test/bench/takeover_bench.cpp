// How long nobody leads when the leader is stopped:
//   bench_takeover [times]
// Of two replicas under 500 events a second the leader gets a SIGTERM, so many times, each at another moment
// between two of the standby's questions for the lock. A takeover is from the signal to the standby's word
// that it leads. Exit status 1: the median is above the target below.
#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <thread>
#include <vector>

#include "bench/events.hpp"
#include "bench/figures.hpp"
#include "bench/paced_sender.hpp"
#include "bench/servers.hpp"
#include "support/eventually.hpp"
#include "support/ports.hpp"
#include "support/sql.hpp"

namespace postrider::bench {
namespace {

constexpr int events_per_second = 500;
constexpr double highest_median = 2;  // seconds
constexpr auto between_questions = std::chrono::milliseconds(500);

std::unique_ptr<support::process> replica(const servers& s) {
    return std::make_unique<support::process>(
        program(s, "group", "key = \"/match_id\"\nwindow = \"15s\"\n", support::free_port()));
}

void expect(support::process& p, const char* words) {
    if (!p.wait_for_output(words)) throw std::runtime_error(p.output());
}

// Only who has heard all that the leader has not yet done stands at once; it is an heir then.
void wait_for_heir(support::sql& sql) {
    const auto heirs =
        "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND mode = 'ShareLock' EXCEPT "
        "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND mode = 'ExclusiveLock' AND granted";
    const bool found = support::eventually([&] { return !sql.rows(heirs).empty(); });
    if (!found) throw std::runtime_error("the standby does not become an heir");
}

// In seconds.
double takeover(support::process& leader, support::process& standby) {
    const auto began = clock::now();
    leader.signal(SIGTERM);
    expect(standby, " leading");
    const auto took = seconds_since(began);
    if (leader.wait() != 0) throw std::runtime_error(leader.output());
    return took;
}

int run(int times) {
    servers s;
    support::sql sql(s.postgres.url());
    prepare(sql);
    auto leader = replica(s);
    expect(*leader, " leading");
    const paced_sender flow(s.postgres.url(), events_per_second);
    std::vector<double> all;
    for (int i = 0; i < times; ++i) {
        auto standby = replica(s);
        expect(*standby, "standing by");
        wait_for_heir(sql);
        std::this_thread::sleep_for(between_questions * i / times);
        all.push_back(takeover(*leader, *standby));
        leader = std::move(standby);
    }
    std::printf("%d takeovers under %d events/s: median %.0f ms, longest %.0f ms\n", times, events_per_second,
                1e3 * median(all), 1e3 * *std::max_element(all.begin(), all.end()));
    return median(all) <= highest_median ? 0 : 1;
}

}  // namespace
}  // namespace postrider::bench

int main(int argc, char** argv) {
    return postrider::bench::run(std::max(argc > 1 ? std::atoi(argv[1]) : 20, 1));
}
