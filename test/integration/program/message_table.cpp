#include "message_table.hpp"

#include <stdexcept>

namespace postrider::test {
namespace {

constexpr const char* schema = R"(
DROP TABLE IF EXISTS messages;
CREATE TABLE messages (n bigserial PRIMARY KEY, payload text NOT NULL, created_at timestamptz DEFAULT now());
CREATE OR REPLACE FUNCTION announce() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN PERFORM pg_notify('chat', NEW.payload); RETURN NULL; END $$;
CREATE TRIGGER announce AFTER INSERT ON messages FOR EACH ROW EXECUTE FUNCTION announce();
)";

constexpr const char* catch_up = R"(
channel = "chat"
id = "/id"
catch_up = "SELECT payload FROM messages WHERE created_at >= $1 ORDER BY n"
)";

}  // namespace

message_table::message_table(const std::string& postgres_url) : database_(postgres_url) {
    database_.run(schema);
}

bool message_table::write(const std::string& key) {
    chat after = talk_;
    const std::string payload = after.next(key);
    try {
        database_.rows("INSERT INTO messages (payload) VALUES ($1)", {payload});
    } catch (const std::runtime_error&) {
        return false;
    }
    talk_ = std::move(after);
    return true;
}

std::string message_table::routes() {
    return std::string(R"(
[postgres]
heartbeat = "1s"
heartbeat_timeout = "60s"
[[route]]
name = "grouped"
policy = "group"
key = "/match_id"
window = "150ms"
cooldown = "0s"
to = "groups"
fields = { match_id = "/match_id" })") +
           catch_up + R"(
[[route]]
name = "single"
policy = "immediate"
to = "singles")" +
           catch_up;
}

}  // namespace postrider::test
