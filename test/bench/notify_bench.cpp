// Measures `notify` against the bare libpq + hiredis loop, in turn and in the same run:
//   bench_notify [events] [rounds]
// Each round sends the events in transactions of 1,000 and waits until the list holds every message. The
// figures are medians; the ratio is Postrider's rate over the bare loop's of the same round.
#include <hiredis.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "bench/bare_loop.hpp"
#include "bench/events.hpp"
#include "bench/figures.hpp"
#include "bench/servers.hpp"
#include "support/ports.hpp"
#include "support/usage.hpp"

namespace postrider::bench {
namespace {

using namespace std::chrono_literals;

void send_all(support::sql& sql, int events) {
    for (int at = 1; at <= events; at += 1000)
        send(sql, at, std::min(at + 999, events));
}

// A bridge under test.
struct contender {
    std::string name;
    std::function<support::process::settings(servers&)> start;
    std::string ready;
    double window = 0;  // seconds that the last group has to wait by design
};

struct outcome {
    double rate = 0;
    double cpu = 0;        // seconds
    std::size_t peak = 0;  // bytes
};

std::int64_t length(support::redis_server& redis) {
    return redis.integer({"LLEN", "bot_messages"});
}

// What stands on the list, groups counted by their messages.
std::int64_t messages(support::redis_server& redis) {
    std::int64_t sum = 0;
    for (const auto& m : redis.list("bot_messages")) {
        const auto grouped = m.starts_with("{\"type\":\"grouped\"");
        sum += grouped ? std::atol(m.c_str() + m.find("\"count\":") + 8) : 1;
    }
    return sum;
}

// When the list grew last, in seconds since `began`: it is complete once it has been quiet for a second and a
// window. Only its length is asked, so that looking costs the contenders the same and little.
double last_arrival(support::redis_server& redis, clock::time_point began, double window) {
    std::int64_t last = 0;
    double grown = seconds_since(began);
    while (seconds_since(began) - grown < 1 + window) {
        const auto now = length(redis);
        if (now != last) grown = seconds_since(began);
        last = now;
        std::this_thread::sleep_for(2ms);
    }
    return grown;
}

outcome measure(servers& s, const contender& c, int events) {
    s.redis.command({"FLUSHALL"});
    support::sql sql(s.postgres.url());
    // A process that was killed may have left some there; a Redis that has forgotten them would get them
    // again.
    sql.run(
        "DO $$ BEGIN DELETE FROM postrider.parked; "
        "EXCEPTION WHEN undefined_table OR invalid_schema_name THEN NULL; END $$");
    support::process bridge(c.start(s));
    if (!bridge.wait_for_output(c.ready)) throw std::runtime_error(c.name + ": " + bridge.output());
    const auto began = clock::now();
    send_all(sql, events);
    const double took = last_arrival(s.redis, began, c.window);
    if (messages(s.redis) != events)
        throw std::runtime_error(c.name + ": not everything arrived\n" + bridge.output());
    outcome o;
    o.rate = events / (took - c.window);
    o.cpu = support::cpu_seconds(bridge.pid());
    o.peak = support::peak_bytes(bridge.pid());
    return o;
}

// Commit to list for single events: the time from the NOTIFY's commit to BLPOP's answer.
std::vector<double> latencies(servers& s, const contender& c, int events) {
    s.redis.command({"FLUSHALL"});
    support::process bridge(c.start(s));
    if (!bridge.wait_for_output(c.ready)) throw std::runtime_error(c.name + ": " + bridge.output());
    support::sql sql(s.postgres.url());
    redisContext* redis = redisConnect("127.0.0.1", s.redis.port());
    std::vector<double> all;
    for (int i = 1; i <= events; ++i) {
        redisAppendCommand(redis, "BLPOP bot_messages 10");
        int done = 0;
        while (done == 0)
            redisBufferWrite(redis, &done);
        const auto began = clock::now();
        send(sql, i, i);
        void* reply = nullptr;
        redisGetReply(redis, &reply);
        freeReplyObject(reply);
        all.push_back(seconds_since(began) * 1e6);
    }
    redisFree(redis);
    return all;
}

contender bare() {
    return {"bare loop",
            [](servers& s) {
                return support::process::settings{.arguments = {"/proc/self/exe", "--bare", s.postgres.url(),
                                                                std::to_string(s.redis.port())}};
            },
            "listening", 0};
}

contender postrider(const std::string& policy, const std::string& rules, double window) {
    return {"postrider " + policy,
            [policy, rules](servers& s) { return program(s, policy, rules, support::free_port()); },
            listening_words, window};
}

void compare(servers& s, const contender& a, int events, int rounds) {
    const auto b = bare();
    std::vector<double> rates, bare_rates, ratios, cpu;
    std::size_t peak = 0;
    for (int i = 0; i < rounds; ++i) {
        const auto ours = measure(s, a, events);
        const auto theirs = measure(s, b, events);
        rates.push_back(ours.rate);
        bare_rates.push_back(theirs.rate);
        cpu.push_back(ours.cpu / events * 1e6);
        ratios.push_back(ours.rate / theirs.rate);
        peak = std::max(peak, ours.peak);
    }
    std::printf(
        "%-22s %9.0f/s   bare loop %9.0f/s   ratio %.2f (%.2f to %.2f)   %.2f us CPU each   peak %.1f MB\n",
        a.name.c_str(), median(rates), median(bare_rates), median(ratios),
        *std::min_element(ratios.begin(), ratios.end()), *std::max_element(ratios.begin(), ratios.end()),
        median(cpu), static_cast<double>(peak) / 1048576.0);
    std::fflush(stdout);
}

int run(int events, int rounds) {
    servers s;
    support::sql sql(s.postgres.url());
    prepare(sql);
    const auto immediate = postrider("immediate", "", 0);
    const auto group =
        postrider("group",
                  "key = \"/match_id\"\ntype = \"grouped\"\nwindow = \"200ms\"\ncooldown = \"0s\"\n"
                  "fields = { match_id = \"/match_id\", bot_id = \"/bot_id\" }\n",
                  0.2);
    std::printf("%d events of about 350 bytes, %d rounds, in turn with the bare loop\n", events, rounds);
    compare(s, immediate, events, rounds);
    compare(s, group, events, rounds);
    // Each event a group, and so a line in the log.
    const auto alone =
        "key = \"/match_id\"\ntype = \"grouped\"\nwindow = \"200ms\"\ncooldown = \"0s\"\nmax_events = 1\n"
        "fields = { match_id = \"/match_id\", bot_id = \"/bot_id\" }\n";
    auto single = postrider("group", alone, 0);
    single.name = "postrider, groups of 1";
    compare(s, single, events, rounds);
    const auto ours = latencies(s, immediate, 2000);
    const auto theirs = latencies(s, bare(), 2000);
    std::printf(
        "latency commit to list  p50 %.0f us, p99 %.0f us   bare loop p50 %.0f us, p99 %.0f us   ratio "
        "%.2f\n",
        percentile(ours, 0.5), percentile(ours, 0.99), percentile(theirs, 0.5), percentile(theirs, 0.99),
        percentile(ours, 0.99) / percentile(theirs, 0.99));
    return 0;
}

}  // namespace
}  // namespace postrider::bench

int main(int argc, char** argv) {
    const std::vector<std::string> words(argv, argv + argc);
    if (words.size() == 4 && words[1] == "--bare")
        postrider::bench::bare_loop(words[2], static_cast<std::uint16_t>(std::stoi(words[3])));
    const int events = words.size() > 1 ? std::stoi(words[1]) : 200'000;
    const int rounds = words.size() > 2 ? std::stoi(words[2]) : 5;
    return postrider::bench::run(events, rounds);
}
