#include "servers.hpp"

#include "chat.hpp"
#include "support/eventually.hpp"
#include "support/sql.hpp"

namespace postrider::test {

support::postgres_server& shared_postgres() {
    static support::postgres_server server;
    return server;
}

// An event in the table would come again to a Redis that has forgotten it.
support::redis_server& shared_redis() {
    static support::redis_server server;
    server.command({"FLUSHALL"});
    support::sql(shared_postgres().url())
        .run(
            "DO $$ BEGIN DELETE FROM postrider.parked; "
            "EXCEPTION WHEN undefined_table OR invalid_schema_name THEN NULL; END $$");
    return server;
}

std::string postgres_at(std::uint16_t port, const std::string& database) {
    return "postgresql://postgres@127.0.0.1:" + std::to_string(port) + "/" + database;
}

std::string redis_at(std::uint16_t port) {
    return "redis://127.0.0.1:" + std::to_string(port);
}

void notify_together(support::sql& database, const std::string& channel,
                     const std::vector<std::string>& payloads) {
    database.run("BEGIN");
    for (const std::string& each : payloads)
        database.notify(channel, each);
    database.run("COMMIT");
}

std::vector<std::string> wait_for_list(support::redis_server& redis, const std::string& name,
                                       std::size_t entries, std::chrono::seconds limit) {
    std::vector<std::string> list;
    support::eventually([&] { return (list = redis.list(name)).size() >= entries; }, limit);
    return list;
}

std::vector<std::string> wait_for_messages(support::redis_server& redis, const std::string& name,
                                           std::size_t messages, std::chrono::seconds limit) {
    std::vector<std::string> list;
    support::eventually([&] { return ids_in(list = redis.list(name)).size() >= messages; }, limit);
    return list;
}

}  // namespace postrider::test
