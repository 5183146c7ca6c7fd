#include "postgres/election.hpp"

#include <charconv>
#include <utility>

namespace postrider::postgres {
namespace {

// FNV-1a (http://www.isthe.com/chongo/tech/comp/fnv/), because every version of every process must come to
// the same key.
std::int64_t lock_key(std::string_view name) {
    std::uint64_t hash = 14'695'981'039'346'656'037U;
    for (const char c : name) {
        hash ^= static_cast<unsigned char>(c);
        hash *= 1'099'511'628'211U;
    }
    return static_cast<std::int64_t>(hash);
}

}  // namespace

election::election(std::string name)
    : name_(std::move(name)),
      key_(std::to_string(lock_key("postrider:" + name_))),
      heirs_key_(std::to_string(lock_key("postrider heirs:" + name_))) {}

std::string election::channel() const {
    return "postrider:" + name_;
}

asio::awaitable<core::result<void>> election::prepare(connection& c, std::chrono::milliseconds silence,
                                                      net::deadline limit) const {
    parameters values{std::to_string(silence.count())};
    auto done = co_await c.query(
        "SELECT set_config(name, $1, false) FROM pg_settings WHERE name = 'idle_session_timeout'",
        std::move(values), limit);
    if (!done) co_return done.error();
    co_return boost::system::in_place_value;
}

asio::awaitable<core::result<bool>> election::stand(connection& c, net::deadline limit) const {
    parameters values{key_};
    co_return co_await ask(c, "SELECT pg_try_advisory_lock($1::bigint)", std::move(values), limit);
}

// Heirs share their lock, so that it can be had alone only where there is none; CASE keeps the order.
asio::awaitable<core::result<bool>> election::stand_behind_heirs(connection& c, net::deadline limit) const {
    parameters values{key_, heirs_key_};
    co_return co_await ask(c,
                           "SELECT CASE WHEN pg_try_advisory_lock($2::bigint) THEN "
                           "pg_advisory_unlock($2::bigint) AND pg_try_advisory_lock($1::bigint) "
                           "ELSE false END",
                           std::move(values), limit);
}

asio::awaitable<core::result<bool>> election::become_heir(connection& c, net::deadline limit) const {
    parameters values{heirs_key_};
    co_return co_await ask(c, "SELECT pg_try_advisory_lock_shared($1::bigint)", std::move(values), limit);
}

asio::awaitable<core::result<session_id>> election::identify(connection& c, net::deadline limit) const {
    parameters none;
    auto answer =
        co_await c.query("SELECT pid, backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid()",
                         std::move(none), limit);
    if (!answer) co_return answer.error();
    session_id id;
    if (answer->empty()) co_return id;
    const auto& row = answer->front();
    const auto pid = row[0].value_or("");
    std::from_chars(pid.data(), pid.data() + pid.size(), id.process);
    id.started = row[1].value_or("");
    co_return id;
}

asio::awaitable<core::result<bool>> election::is_held_by_another(connection& c, session_id former,
                                                                 net::deadline limit) const {
    parameters values{key_, std::to_string(former.process), std::move(former.started)};
    co_return co_await ask(c, R"(
SELECT count(*) FILTER (WHERE NOT is_former) + 0 * count(CASE WHEN is_former THEN pg_terminate_backend(pid) END) > 0
FROM (SELECT l.pid, EXISTS (SELECT FROM pg_stat_activity AS a
                            WHERE a.pid = l.pid AND a.pid = $2::integer
                              AND a.backend_start = $3::timestamptz) AS is_former
      FROM pg_locks AS l
      WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
        AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
        AND ((l.classid::bigint << 32) | l.objid::bigint) = $1::bigint) AS holders)",
                           std::move(values), limit);
}

asio::awaitable<core::result<bool>> election::ask(connection& c, std::string statement, parameters values,
                                                  net::deadline limit) const {
    auto answer = co_await c.query(std::move(statement), std::move(values), limit);
    if (!answer) co_return answer.error();
    co_return !answer->empty() && answer->front().front() == "t";
}

}  // namespace postrider::postgres
