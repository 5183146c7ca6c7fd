#pragma once

#include <cstdint>
#include <string>

namespace postrider::bench {

// The bare path that Postrider is measured against: one libpq connection that listens, one hiredis connection
// that takes every notification as an RPUSH, pipelined, and nothing else: no JSON, no groups, no retry. Runs
// until it is killed; writes "listening" to standard output when it listens.
[[noreturn]] void bare_loop(const std::string& postgres_url, std::uint16_t redis_port);

}  // namespace postrider::bench
