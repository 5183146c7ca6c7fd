#pragma once

#include <string>

#include "support/postgres_server.hpp"
#include "support/redis_server.hpp"
#include "support/sql.hpp"

namespace postrider::test {

using namespace std::chrono_literals;

// One of each for all tests that do not stop them; started by the first one.
support::postgres_server& shared_postgres();
// Emptied by every call.
support::redis_server& shared_redis();
// What a failed test left in Postgres would come to the Redis of the next one.
void forget_parked();

// The URLs of a server, or of a gate before it.
std::string postgres_at(std::uint16_t port, const std::string& database = "postgres");
std::string redis_at(std::uint16_t port);

// Another one on the shared server, empty; its URL.
std::string new_database(const std::string& name);

// Sends all in one transaction, so that they arrive together.
void notify_together(support::sql& database, const std::string& channel,
                     const std::vector<std::string>& payloads);

// Waits until the list has so many entries; false: not within the limit.
bool has_entries(support::redis_server& redis, const std::string& name, std::size_t entries,
                 std::chrono::seconds limit = 90s);
// The same, and returns them (or fewer, after the limit).
std::vector<std::string> wait_for_list(support::redis_server& redis, const std::string& name,
                                       std::size_t entries, std::chrono::seconds limit = 90s);
// Waits until the list's entries hold so many messages.
std::vector<std::string> wait_for_messages(support::redis_server& redis, const std::string& name,
                                           std::size_t messages, std::chrono::seconds limit = 60s);

}  // namespace postrider::test
