#pragma once

#include <deque>

#include "redis/held_values.hpp"
#include "redis/pusher.hpp"
#include "service/lane.hpp"

namespace postrider::service {

// The open groups for the cache: their contexts, under the names and with the text that they have in Redis.
// The grouper holds them, where nothing is evicted, and the pusher's savers write them, piece by piece and
// under the epoch. Both outlive what is returned.
redis::held_values open_contexts(const std::deque<lane>& lanes, const redis::pusher& carrier);

}  // namespace postrider::service
