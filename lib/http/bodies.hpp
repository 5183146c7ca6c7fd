#pragma once

#include <string>

#include "core/clock.hpp"
#include "http/view.hpp"

namespace postrider::http {

// The JSON bodies of the endpoints (design, section 6), made from held values alone. Times are ISO 8601 in
// UTC, latencies milliseconds; what is not known yet is null.

struct moment {
    core::wall::time_point now;
    core::milliseconds uptime{0};
};

// "healthy" when overall is up, else "degraded".
std::string health_body(const health& h, const std::string& version, const moment& at);
std::string readiness_body(const health& h);
std::string liveness_body();

// hit_rate is hits / (hits + misses) between 0 and 1, and 0 before the first look-up.
std::string redis_stats_body(const redis_stats& s, const moment& at);
std::string redis_ping_body(double latency_ms);
// {"error":why,"status":"disconnected"}
std::string redis_away_body(const std::string& why);

// {"mode":"redis"|"memory","entries","redisAvailable","hits","misses","evictions","redis":{…},"memory":{…}}
std::string cache_stats_body(const cache_stats& s);

std::string stats_body(const stats& s, const moment& at);

// All that the dashboard shows, in one line: {"version","readiness":as readiness_body,"stats":as stats_body,
// "breaker","redis_round_trips":{"count","seconds"},"group_sizes":[{"up_to","count"}],
// "next_due":[{"route","key","messages","due_in_ms"}]}. Keys, but no payloads.
std::string state_body(const health& h, const stats& s, const live& l, const std::string& version,
                       const moment& at);

}  // namespace postrider::http
