// The pusher's third part: the circuit breakers of its lines.

#include <algorithm>

#include "core/duration.hpp"
#include "core/log_line.hpp"
#include "redis/pusher.hpp"

namespace postrider::redis {

using core::breaker;
using core::steady;

bool pusher::may_send(track& t, steady::time_point now) {
    const auto before = t.breaker.current();
    const bool allowed = t.breaker.allows(now);
    if (t.breaker.current() != before)
        core::log_warning("redis: the circuit breaker of {} is half-open: one batch is tried",
                          t.line.target().name);
    return allowed;
}

// A connection that stands anew is a better sign than the time that is left.
void pusher::try_anew() {
    for (auto& t : lines_) {
        if (!t.breaker.try_early(steady::now())) continue;
        t.retry_at = {};
        core::log_warning("redis: the circuit breaker of {} is half-open: connected anew, one batch is tried",
                          t.line.target().name);
    }
    work_.notify();
}

void pusher::push_failed(track& t, const std::string& why) {
    const auto before = t.breaker.current();
    t.breaker.failed(steady::now(), why);
    if (t.breaker.current() == before) return;
    const auto length = std::chrono::duration_cast<core::milliseconds>(t.breaker.until() - t.breaker.since());
    core::log_warning("redis: the circuit breaker of {} is open, {} pushed for {}: {}", t.line.target().name,
                      before == breaker::state::half_open ? "again nothing is" : "nothing is",
                      core::format_duration(length), why);
}

void pusher::push_answered(track& t) {
    const auto before = t.breaker.current();
    t.breaker.succeeded(steady::now());
    if (t.breaker.current() != before)
        core::log_warning("redis: the circuit breaker of {} is closed", t.line.target().name);
}

std::vector<std::pair<std::string_view, breaker::state>> pusher::breakers() const {
    std::vector<std::pair<std::string_view, breaker::state>> all;
    for (const auto& t : lines_)
        all.emplace_back(t.line.target().name, t.breaker.current());
    return all;
}

pusher::breaker_status pusher::breaker_now() const {
    const auto badness = [](const track& t) {
        constexpr int ranks[] = {0, 2, 1};  // closed, open, half-open
        return ranks[static_cast<std::size_t>(t.breaker.current())];
    };
    // Of those that stand alike: the one that changed last.
    const auto worst = std::max_element(lines_.begin(), lines_.end(), [&](const track& a, const track& b) {
        if (badness(a) != badness(b)) return badness(a) < badness(b);
        return a.breaker.since() < b.breaker.since();
    });
    if (worst == lines_.end()) return {};
    breaker_status now{worst->breaker.current(), worst->breaker.since(), {}};
    if (now.state != breaker::state::closed)
        now.reason = worst->line.target().name + ": " + worst->breaker.reason();
    return now;
}

std::string pusher::refusals() const {
    std::string all;
    for (const auto& t : lines_) {
        if (t.refusal.empty()) continue;
        if (!all.empty()) all += "; ";
        all.append(t.line.target().name).append(": ").append(t.refusal);
    }
    return all;
}

}  // namespace postrider::redis
