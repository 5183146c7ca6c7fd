#pragma once

#include <deque>
#include <string>
#include <string_view>

#include "core/clock.hpp"

namespace postrider::core {

// A circuit breaker: what fails again and again is left alone for a while. Closed: everything is tried. Open:
// nothing is, until its time is over. Half-open: trials; enough of them close it, one that fails opens it for
// twice as long as before. Pure: it is fed with the time.
// After M. Nygard, "Release It!", and https://martinfowler.com/bliki/CircuitBreaker.html.
class breaker {
 public:
    enum class state { closed, open, half_open };

    struct thresholds {
        unsigned failures = 5;              // so many of them, at least 1 …
        milliseconds window{30'000};        // … no further apart than this open it
        milliseconds open{5'000};           // how long it is open at first
        milliseconds longest_open{20'000};  // however many trials fail; at least `open`
        unsigned trials = 1;                // so many successes when half-open close it, at least 1
    };

    explicit breaker(thresholds t) : thresholds_(t), open_for_(t.open) {}

    // Whether an attempt may be made; the first question after the open time makes it half-open.
    bool allows(steady::time_point now);

    // How an attempt ended. While it is open nothing is attempted, and these change nothing.
    void succeeded(steady::time_point now);
    void failed(steady::time_point now, std::string why);

    // Open: half-open at once. For a caller that has no more time to wait.
    void try_now(steady::time_point now);

    // Open: half-open before its time, because something has changed for the better (the server is back);
    // once until the next trial on time. If this trial fails it stays open for as long as it would have been.
    // Returns whether it may be tried now.
    bool try_early(steady::time_point now);

    // Closed, as if nothing had ever failed.
    void reset(steady::time_point now);

    state current() const { return state_; }
    // When it came into its state; closed from the beginning: the epoch.
    steady::time_point since() const { return since_; }
    // Until when it is open; otherwise the epoch, which is always over.
    steady::time_point until() const { return until_; }
    // Of the last failure before it opened; empty while it is closed.
    const std::string& reason() const { return reason_; }

 private:
    void enter(state s, steady::time_point now);
    void open(steady::time_point now, std::string why);

    thresholds thresholds_;
    milliseconds open_for_;  // the next time
    state state_ = state::closed;
    steady::time_point since_{};
    steady::time_point until_{};
    std::string reason_;
    std::deque<steady::time_point> failures_;  // while closed, oldest first, at most the threshold
    unsigned trials_ = 0;                      // that went well
    bool early_spent_ = false;                 // the trial before its time
    steady::time_point resume_until_{};        // if the early trial under way fails
};

// "closed", "open" or "half_open".
std::string_view name(breaker::state s);

}  // namespace postrider::core
