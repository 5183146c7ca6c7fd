#pragma once

#include <cstddef>
#include <limits>
#include <set>
#include <string>

#include "core/error.hpp"
#include "net/asio.hpp"
#include "redis/client.hpp"

namespace postrider::redis {

// The keys that match a pattern (glob.hpp), at most `limit` of them, of all servers together. One that is
// there all the while is found, also when its slot moves to another node of the cluster meanwhile. Failures:
// the connection's, or server_error with Redis' words.
asio::awaitable<core::result<std::set<std::string>>> scan(
    client& redis, std::string pattern, std::size_t limit = std::numeric_limits<std::size_t>::max());

}  // namespace postrider::redis
