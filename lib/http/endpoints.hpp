#pragma once

#include "http/message.hpp"
#include "http/view.hpp"

namespace postrider::http {

// Answers for the whole service (design, section 6): / (dashboard.hpp), /events (the state as server-sent
// events, one a second, made once for all who listen), /health, /api/health, /health/liveness,
// /health/readiness, /redis/stats, /redis/ping, /stats, /metrics, /cache/stats, /dead-letters (letters.hpp).
// An unknown path is 404, a wrong method 405 with Allow; errors are JSON. The functions of `v` are called on
// the server's executor; redis_stats and redis_ping at most once at a time each, their answer shared by
// everybody who asks meanwhile.
handler make_endpoints(view v);

}  // namespace postrider::http
