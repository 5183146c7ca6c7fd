#include "bench/events.hpp"

namespace postrider::bench {

void prepare(support::sql& sql) {
    sql.run(R"(CREATE OR REPLACE FUNCTION send(a bigint, b bigint, created_at text) RETURNS bigint
        LANGUAGE sql AS $$
        SELECT count(pg_notify('bot_events', format('{"id":%s,"match_id":"%s","sender_id":'
            '"5f0c8a52-7d0e-4b55-9d5c-6a2f1f4b7c11","bot_id":"0b9ad9f6-3d7e-4a51-8d24-0f5f6f6c0001",'
            '"content":"%s","created_at":"%s"}',
            i, '7c9e6679-7425-40de-944b-e07fc1f9' || lpad((i % 1000)::text, 4, '0'), repeat('hello you ', 13),
            created_at)))
        FROM generate_series(a, b) i $$)");
}

void send(support::sql& sql, std::int64_t first, std::int64_t last, const std::string& created_at) {
    sql.run("SELECT send(" + std::to_string(first) + "," + std::to_string(last) + "," + created_at + ")");
}

}  // namespace postrider::bench
