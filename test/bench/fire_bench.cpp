// How much HTTP under fire delays the events:
//   bench_fire [seconds] [rounds]
// 10,000 events a second flow all the time. A round is so many seconds of quiet and as many under fire: 500
// slow clients, 100 event streams, and 20,000 requests a second on /health. A delay is from Postgres's time
// right before the NOTIFY to the list's reader; the figures are medians of the rounds. The clients of the
// fire give way to everything else, because real ones compute on other machines. Exit status 1: events were
// lost, or one of the targets below was missed.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "bench/arrivals.hpp"
#include "bench/event_streams.hpp"
#include "bench/events.hpp"
#include "bench/figures.hpp"
#include "bench/paced_sender.hpp"
#include "bench/request_load.hpp"
#include "bench/servers.hpp"
#include "support/eventually.hpp"
#include "support/ports.hpp"
#include "support/usage.hpp"

namespace postrider::bench {
namespace {

using namespace std::chrono_literals;

constexpr int events_per_second = 10'000;
constexpr int requests_per_second = 20'000;
constexpr std::size_t slow_clients = 500;
constexpr std::size_t streams = 100;
constexpr std::size_t all_connections = slow_clients + streams;
constexpr double longest_phase = 8;  // Postrider cuts a slow request off after 10 s

// The targets; of rates 95 %, because a phase begins and ends between two of the sender's steps.
constexpr double highest_ratio = 2;  // of the p99 under fire to the quiet one, below it
constexpr double lowest_share = 0.95;
constexpr std::size_t most_growth = std::size_t{32} << 20;  // bytes resident, at the peak

// What one phase of a round showed.
struct phase {
    double p50 = 0;  // microseconds
    double p99 = 0;
    double events = 0;  // a second, as the requests
    double requests = 0;
    double cpu = 0;   // of one core, Postrider's
    double lost = 0;  // requests without an answer
};

double megabytes(std::size_t bytes) {
    return static_cast<double>(bytes) / 1048576.0;
}

phase watch(arrivals& reader, const support::process& bridge, const request_load* load, double seconds) {
    const auto requests = [load] { return load != nullptr ? load->answered() : 0; };
    reader.take();
    const auto began = clock::now();
    const auto requests_before = requests();
    const auto cpu_before = support::cpu_seconds(bridge.pid());
    std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
    const auto delays = reader.take();
    const auto took = seconds_since(began);
    if (delays.empty()) throw std::runtime_error("no event arrived\n" + bridge.output());
    phase p;
    p.p50 = percentile(delays, 0.5);
    p.p99 = percentile(delays, 0.99);
    p.events = static_cast<double>(delays.size()) / took;
    p.requests = static_cast<double>(requests() - requests_before) / took;
    p.cpu = (support::cpu_seconds(bridge.pid()) - cpu_before) / took;
    return p;
}

// Headers that never end, a line every 2 s.
support::process::settings slow_headers(std::uint16_t port) {
    const auto number = std::to_string(slow_clients);
    return {.arguments = {"chrt", "--idle", "0", "slowhttptest", "-H", "-c", number, "-r", number, "-i", "2",
                          "-l", "60", "-p", "20", "-u",
                          "http://127.0.0.1:" + std::to_string(port) + "/health"}};
}

phase under_fire(arrivals& reader, const support::process& bridge, std::uint16_t port, double seconds) {
    const auto held = [&bridge] { return support::open_descriptors(bridge.pid()); };
    const auto before = held();
    const support::process slow(slow_headers(port));
    const event_streams looking(port, streams);
    const request_load load(port, requests_per_second);
    if (!support::eventually([&] { return held() >= before + all_connections; }))
        throw std::runtime_error("only " + std::to_string(held() - before) +
                                 " connections stand under fire\n" + slow.output());
    auto seen = watch(reader, bridge, &load, seconds);
    if (held() < before + all_connections || looking.lost() != 0)
        throw std::runtime_error("the fire's connections did not last");
    seen.lost = static_cast<double>(load.lost());
    if (load.lost() != 0)
        std::printf("  %lld requests were not answered\n", static_cast<long long>(load.lost()));
    return seen;
}

void print(const char* name, const phase& p) {
    std::printf("  %s  p50 %5.0f us, p99 %6.0f us   %6.0f events/s, %6.0f requests/s   %3.0f %% of a core\n",
                name, p.p50, p.p99, p.events, p.requests, 100 * p.cpu);
    std::fflush(stdout);
}

phase median_of(const std::vector<phase>& all) {
    const auto of = [&all](double phase::*figure) {
        std::vector<double> figures;
        for (const auto& p : all)
            figures.push_back(p.*figure);
        return median(figures);
    };
    return {.p50 = of(&phase::p50),
            .p99 = of(&phase::p99),
            .events = of(&phase::events),
            .requests = of(&phase::requests),
            .cpu = of(&phase::cpu)};
}

bool meets(bool met, const char* target) {
    if (!met) std::printf("  missed: %s\n", target);
    return met;
}

// Prints the medians; false: a target was missed.
bool summarise(const std::vector<phase>& quiet, const std::vector<phase>& fire) {
    std::vector<double> ratios;
    double lost = 0;
    for (std::size_t i = 0; i < quiet.size(); ++i) {
        ratios.push_back(fire[i].p99 / quiet[i].p99);
        lost += fire[i].lost;
    }
    const auto calm = median_of(quiet), hot = median_of(fire);
    std::printf("medians\n");
    print("quiet", calm);
    print("fire ", hot);
    std::printf("  ratio of p99: %.2f (%.2f to %.2f)\n", median(ratios),
                *std::min_element(ratios.begin(), ratios.end()),
                *std::max_element(ratios.begin(), ratios.end()));
    bool all = meets(median(ratios) < highest_ratio, "the p99 under fire is below twice the quiet one");
    all &= meets(std::min(calm.events, hot.events) >= lowest_share * events_per_second, "all events flow");
    all &= meets(hot.requests >= lowest_share * requests_per_second, "all requests are answered in time");
    all &= meets(lost == 0, "each request is answered");
    return all;
}

int run(double seconds, int rounds) {
    servers s;
    support::sql sql(s.postgres.url());
    prepare(sql);
    const auto port = support::free_port();
    support::process bridge(program(s, "immediate", "", port));
    if (!bridge.wait_for_output(listening_words)) throw std::runtime_error(bridge.output());
    arrivals reader(s.redis.port());
    paced_sender flow(s.postgres.url(), events_per_second);
    std::printf(
        "%d events/s all the time; fire: %zu slow clients, %zu streams, %d requests/s; %d rounds of %.0f s\n",
        events_per_second, slow_clients, streams, requests_per_second, rounds, seconds);
    watch(reader, bridge, nullptr, 1);
    const auto resident = support::resident_bytes(bridge.pid());
    const auto connections = support::open_descriptors(bridge.pid());
    std::vector<phase> quiet, fire;
    for (int i = 0; i < rounds; ++i) {
        quiet.push_back(watch(reader, bridge, nullptr, seconds));
        print("quiet", quiet.back());
        fire.push_back(under_fire(reader, bridge, port, seconds));
        print("fire ", fire.back());
        if (!support::eventually([&] { return support::open_descriptors(bridge.pid()) <= connections + 4; }))
            throw std::runtime_error("connections are left after the fire");
    }
    bool all = summarise(quiet, fire);
    const auto peak = support::peak_bytes(bridge.pid());
    std::printf("  resident: %.1f MB before, %.1f at the peak, %.1f after\n", megabytes(resident),
                megabytes(peak), megabytes(support::resident_bytes(bridge.pid())));
    all &= meets(peak <= resident + most_growth, "the memory stays bounded");
    flow.stop();
    const bool complete = support::eventually([&] { return reader.count() >= flow.sent(); });
    std::printf("  %lld events sent, %lld arrived\n", static_cast<long long>(flow.sent()),
                static_cast<long long>(reader.count()));
    all &= meets(complete && reader.count() == flow.sent(), "each event arrives once");
    return all ? 0 : 1;
}

}  // namespace
}  // namespace postrider::bench

int main(int argc, char** argv) {
    const double seconds = argc > 1 ? std::atof(argv[1]) : 6;
    const int rounds = argc > 2 ? std::atoi(argv[2]) : 7;
    return postrider::bench::run(std::clamp(seconds, 1.0, postrider::bench::longest_phase),
                                 std::max(rounds, 1));
}
