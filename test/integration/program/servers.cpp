#include "servers.hpp"

#include "chat.hpp"
#include "support/eventually.hpp"
#include "support/sql.hpp"

namespace postrider::test {
namespace {

std::string quoted(std::string_view text) {
    std::string literal = "'";
    for (const char c : text)
        literal += c == '\'' ? std::string("''") : std::string(1, c);
    return literal + "'";
}

}  // namespace

support::postgres_server& shared_postgres() {
    static support::postgres_server server;
    return server;
}

support::redis_server& shared_redis() {
    static support::redis_server server;
    server.command({"FLUSHALL"});
    forget_parked();
    return server;
}

void forget_parked() {
    support::sql(shared_postgres().url())
        .run(
            "DO $$ BEGIN DELETE FROM postrider.parked; "
            "EXCEPTION WHEN undefined_table OR invalid_schema_name THEN NULL; END $$");
}

std::string postgres_at(std::uint16_t port, const std::string& database) {
    return "postgresql://postgres@127.0.0.1:" + std::to_string(port) + "/" + database;
}

std::string redis_at(std::uint16_t port) {
    return "redis://127.0.0.1:" + std::to_string(port);
}

std::string new_database(const std::string& name) {
    support::sql owner(shared_postgres().url());
    owner.run("DROP DATABASE IF EXISTS " + name + " WITH (FORCE)");
    owner.run("CREATE DATABASE " + name);
    return shared_postgres().url(name);
}

void notify_together(support::sql& database, const std::string& channel,
                     const std::vector<std::string>& payloads) {
    std::string all;
    for (const std::string& each : payloads)
        all += "NOTIFY " + channel + ", " + quoted(each) + ";";
    database.run(all);
}

bool has_entries(support::redis_server& redis, const std::string& name, std::size_t entries,
                 std::chrono::seconds limit) {
    const auto length = [&] { return static_cast<std::size_t>(redis.integer({"LLEN", name})); };
    return support::eventually([&] { return length() >= entries; }, limit);
}

std::vector<std::string> wait_for_list(support::redis_server& redis, const std::string& name,
                                       std::size_t entries, std::chrono::seconds limit) {
    has_entries(redis, name, entries, limit);
    return redis.list(name);
}

std::vector<std::string> wait_for_messages(support::redis_server& redis, const std::string& name,
                                           std::size_t messages, std::chrono::seconds limit) {
    // Each entry is read once: there may be thousands.
    std::size_t read = 0, found = 0;
    support::eventually(
        [&] {
            const auto more = redis.command({"LRANGE", name, std::to_string(read), "-1"});
            read += more.size();
            found += ids_in(more).size();
            return found >= messages;
        },
        limit);
    return redis.list(name);
}

}  // namespace postrider::test
