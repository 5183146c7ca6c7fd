#pragma once

#include <string>
#include <utility>
#include <vector>

#include "redis/client.hpp"

namespace postrider::redis {

// What an earlier process left in Redis: names and texts.
struct saved_state {
    std::vector<std::pair<std::string, std::string>> contexts;
    std::vector<std::pair<std::string, std::string>> delays;
};

// Reads all open groups and delayed events. Failures: the connection's, or server_error with Redis' words.
asio::awaitable<core::result<saved_state>> load_state(client& redis);

// How far a route has caught up.
struct saved_progress {
    std::string caught_up;                             // ISO time; empty: never
    std::vector<std::pair<std::string, double>> seen;  // ids with their time in milliseconds since 1970
};
asio::awaitable<core::result<saved_progress>> load_progress(client& redis, std::string caught_up_name,
                                                            std::string seen_name);

}  // namespace postrider::redis
