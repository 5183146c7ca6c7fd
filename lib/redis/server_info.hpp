#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "redis/client.hpp"

namespace postrider::redis {

// What stands beside a target so that nothing is pushed twice.
struct ledger {
    std::string target;
    std::string last_batch;         // the name of a plain key
    std::vector<std::string> sets;  // the names of sorted sets
};
struct ledger_size {
    std::int64_t keys = 0;     // of the named ones, those that are there
    std::int64_t entries = 0;  // in them; a plain key is one
};

// What INFO says, of a cluster the sum over its primaries, and the lengths of the list targets.
struct server_info {
    std::chrono::microseconds ping{0};
    std::int64_t connected_clients = 0;
    std::int64_t used_memory = 0;  // bytes
    std::string used_memory_human;
    std::int64_t total_commands_processed = 0;
    std::int64_t keyspace_hits = 0;
    std::int64_t keyspace_misses = 0;
    std::vector<std::pair<std::string, std::int64_t>> lists;   // -1: not a list
    std::vector<std::pair<std::string, ledger_size>> ledgers;  // by target
};

// One round trip for the ping, one for the lists and ledgers, and one for each primary.
asio::awaitable<core::result<server_info>> ask_server(client& redis, std::vector<std::string> lists,
                                                      std::vector<ledger> ledgers);

// The round trip of one PING.
asio::awaitable<core::result<std::chrono::microseconds>> ping(client& redis);

// Adds what one server's INFO says.
void add_info(server_info& sum, std::string_view text);

// The value of "field:value" in INFO's text; empty: not there.
std::string_view info_field(std::string_view info, std::string_view field);

}  // namespace postrider::redis
