#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "redis/client.hpp"

namespace postrider::redis {

// What INFO says, and the lengths of the list targets.
struct server_info {
    std::chrono::microseconds ping{0};
    std::int64_t connected_clients = 0;
    std::string used_memory_human;
    std::int64_t total_commands_processed = 0;
    std::int64_t keyspace_hits = 0;
    std::int64_t keyspace_misses = 0;
    std::vector<std::pair<std::string, std::int64_t>> lists;  // -1: not a list
};

// One round trip for the ping, one for the rest.
asio::awaitable<core::result<server_info>> ask_server(client& redis, std::vector<std::string> lists);

// The round trip of one PING.
asio::awaitable<core::result<std::chrono::microseconds>> ping(client& redis);

// The value of "field:value" in INFO's text; empty: not there.
std::string_view info_field(std::string_view info, std::string_view field);

}  // namespace postrider::redis
