#pragma once

#include <chrono>
#include <cstdint>

namespace postrider::core {

// Deadlines and waits use the steady clock; what another process reads uses the wall clock.
using steady = std::chrono::steady_clock;
using wall = std::chrono::system_clock;
using milliseconds = std::chrono::milliseconds;

inline std::int64_t milliseconds_since_epoch(wall::time_point t) {
    return std::chrono::duration_cast<milliseconds>(t.time_since_epoch()).count();
}

// The wall-clock time of a steady instant, both clocks read at `now` and `wall_now`.
inline wall::time_point to_wall(steady::time_point t, steady::time_point now, wall::time_point wall_now) {
    return wall_now + std::chrono::duration_cast<wall::duration>(t - now);
}

// The steady instant of a wall-clock time, both clocks read at `now` and `wall_now`.
inline steady::time_point to_steady(wall::time_point t, steady::time_point now, wall::time_point wall_now) {
    return now + std::chrono::duration_cast<steady::duration>(t - wall_now);
}

}  // namespace postrider::core
