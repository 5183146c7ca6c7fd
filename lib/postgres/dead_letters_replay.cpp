// The statements of a replay; see dead_letters.hpp.
#include <algorithm>
#include <charconv>

#include "postgres/dead_letters.hpp"

namespace postrider::postgres {

using core::steady;

asio::awaitable<core::result<std::optional<std::int64_t>>> earlier_push(connection& c, std::int64_t id,
                                                                        net::deadline limit) {
    std::string sql =
        "SELECT older.id FROM postrider.dead_letters older JOIN postrider.dead_letters this USING (route, "
        "key) WHERE this.id = $1::bigint AND older.kind = 'push' AND older.id < this.id ORDER BY older.id "
        "LIMIT 1";
    parameters values{std::to_string(id)};
    auto found = co_await c.query(std::move(sql), std::move(values), limit);
    if (!found) co_return found.error();
    std::optional<std::int64_t> earlier;
    if (found->empty()) co_return earlier;
    const auto text = found->at(0).at(0).value_or("");
    std::from_chars(text.data(), text.data() + text.size(), earlier.emplace());
    co_return earlier;
}

asio::awaitable<core::result<bool>> replay_event(connection& c, std::int64_t id, std::string channel,
                                                 std::optional<announcement> first, net::deadline limit) {
    std::string sql =
        "WITH gone AS (DELETE FROM postrider.dead_letters WHERE id = $1::bigint AND kind = 'event' "
        "RETURNING payload) SELECT CASE WHEN $3::text IS NOT NULL THEN pg_notify($3::text, $4::text)::text "
        "END, "
        "pg_notify($2::text, payload)::text FROM gone";
    parameters values{std::to_string(id), std::move(channel), std::nullopt, std::nullopt};
    if (first) {
        values[2] = std::move(first->channel);
        values[3] = std::move(first->payload);
    }
    auto done = co_await c.query(std::move(sql), std::move(values), limit);
    if (!done) co_return done.error();
    co_return !done->empty();
}

asio::awaitable<core::result<void>> note_failed_replay(connection& c, std::int64_t id, std::string reason,
                                                       std::string error, net::deadline limit) {
    std::string sql =
        "UPDATE postrider.dead_letters SET attempts = attempts + 1, last_at = now(), reason = $2::text, "
        "error = $3::text WHERE id = $1::bigint";
    parameters values{std::to_string(id), std::move(reason), std::move(error)};
    auto done = co_await c.query(std::move(sql), std::move(values), limit);
    if (!done) co_return done.error();
    co_return boost::system::in_place_value;
}

asio::awaitable<core::result<bool>> lock_replays(connection& c, core::milliseconds wait) {
    const auto slack = core::milliseconds(10'000);
    parameters milliseconds{std::to_string(std::max<std::int64_t>(wait.count(), 1))};
    auto limited = co_await c.query("SELECT set_config('lock_timeout', $1, false)", std::move(milliseconds),
                                    steady::now() + slack);
    if (!limited) co_return limited.error();
    parameters none;
    auto locked = co_await c.query("SELECT pg_advisory_lock(hashtextextended('postrider.replay', 0))",
                                   std::move(none), steady::now() + wait + slack);
    if (locked) co_return true;
    if (locked.error().code == core::errc::server_error && c.refusal() == "55P03") co_return false;
    co_return locked.error();
}

asio::awaitable<core::result<void>> unlock_replays(connection& c, net::deadline limit) {
    parameters none;
    auto done = co_await c.query("SELECT pg_advisory_unlock(hashtextextended('postrider.replay', 0))",
                                 std::move(none), limit);
    if (!done) co_return done.error();
    co_return boost::system::in_place_value;
}

}  // namespace postrider::postgres
