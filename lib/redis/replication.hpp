#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "redis/names.hpp"
#include "redis/options.hpp"
#include "redis/pipeline.hpp"
#include "redis/reply.hpp"

namespace postrider::redis {

// A push counts as delivered when enough replicas have it (https://redis.io/docs/latest/commands/wait/):
// pure.

// How many replies a push gets: its own, and those of what is put behind it.
std::size_t replies_a_push(const options& o);

// Behind a push to this target, where o.wait_replicas is not 0: a small write, because WAIT counts from this
// connection's last one and a push that is sent again may have nothing to write; and WAIT.
void append_wait(pipeline& p, const options& o, const target_keys& keys, std::uint64_t sequence);

// The reply that counts, of replies_a_push(): the push's own, or an error that begins with NOREPLICAS and
// says how many replicas have it.
reply replicated(const options& o, std::span<const reply> replies);

}  // namespace postrider::redis
