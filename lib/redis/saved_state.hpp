#pragma once

#include <string>
#include <utility>
#include <vector>

#include "event/hearing.hpp"
#include "redis/cache.hpp"
#include "redis/client.hpp"

namespace postrider::redis {

// What an earlier process left in Redis: names and texts.
struct saved_state {
    std::vector<std::pair<std::string, std::string>> contexts;
    std::vector<std::pair<std::string, std::string>> delays;
    std::vector<std::pair<std::string, std::string>> letters;
};

// Reads all open groups, delayed events and letters of refused pushes of a bridge. Failures: cache::load's.
asio::awaitable<core::result<saved_state>> load_state(cache& values, std::string bridge);

// How far a route has caught up.
struct saved_progress {
    std::string caught_up;                             // ISO time; empty: never
    std::vector<std::pair<std::string, double>> seen;  // ids with their time in milliseconds since 1970
};
asio::awaitable<core::result<saved_progress>> load_progress(client& redis, std::string caught_up_name,
                                                            std::string seen_name);

// Where a route stood, and what it has delivered behind that; see place.
struct saved_place {
    std::vector<event::marked_number> markers;  // by number; empty: nothing is saved
    std::uint64_t number = 0;
    std::vector<std::pair<std::string, std::uint64_t>> behind;  // names (keys or numbers) and numbers
};
asio::awaitable<core::result<saved_place>> load_place(client& redis, std::string place_name,
                                                      std::string behind_name);

}  // namespace postrider::redis
