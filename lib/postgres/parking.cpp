#include "postgres/parking.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "postgres/array.hpp"
#include "postgres/election.hpp"
#include "postgres/parked_ends.hpp"
#include "postgres/schema.hpp"

namespace postrider::postgres {
namespace {

using core::steady;

// Writers hold it shared, so that who takes over can wait for them.
constexpr const char* writing = "SELECT pg_advisory_xact_lock_shared($1::bigint)";
constexpr const char* waiting = "SELECT pg_advisory_xact_lock($1::bigint)";

// Only while the leader's session holds the name's lock; pg_locks shows this moment, not a snapshot's.
constexpr std::string_view the_leaders_events = R"(
FROM unnest($2::text[], $3::text[], $4::text[]) WITH ORDINALITY AS e (channel, numbers, payload, place)
WHERE EXISTS (SELECT FROM pg_locks
              WHERE locktype = 'advisory' AND granted AND objsubid = 1 AND pid = $5::integer
                AND ((classid::bigint << 32) | objid::bigint) = $6::bigint)
ORDER BY e.place
RETURNING id)";

constexpr std::string_view behind_all = R"(
INSERT INTO postrider.parked (name, channel, numbers, payload)
SELECT $1, e.channel, e.numbers, e.payload)";

// The table gives the ids from 1 on; what comes before has those below.
constexpr std::string_view in_front_of_all = R"(
INSERT INTO postrider.parked (id, name, channel, numbers, payload) OVERRIDING SYSTEM VALUE
SELECT least($7::bigint, (SELECT min(id) FROM postrider.parked WHERE name = $1)) - $8::bigint - 1 + e.place,
       $1, e.channel, e.numbers, e.payload)";

// Of this transaction. The server ends by itself what nobody waits for any more, where it can tell (14 and
// later, on Linux): its lock would keep the next one waiting. The role may have a limit of its own.
constexpr const char* limits = R"(
SELECT set_config(name, CASE name WHEN 'statement_timeout' THEN $1 ELSE '1s' END, true) FROM pg_settings
WHERE name = 'statement_timeout'
   OR (name = 'client_connection_check_interval' AND version() LIKE '%linux%'))";

constexpr const char* oldest = R"(
SELECT id, channel, numbers, payload FROM postrider.parked WHERE name = $1 AND id > $2::bigint
ORDER BY id LIMIT $3::bigint)";

// The documentation's codes (appendix A). Rights that are missing say nothing about what is in the table.
constexpr std::string_view undefined_table = "42P01";
constexpr std::string_view insufficient_privilege = "42501";
constexpr std::string_view query_canceled = "57014";  // by the limit, too

// The look for what is there gets twice the time after each that was too short, up to this; and a little more
// here, so that the server's words come first.
constexpr core::milliseconds longest_look{600'000};
constexpr core::milliseconds slack{1'000};

// Classes of codes: a conflict, no room, a lock or a limit in the way, an operator at work, a broken disk.
// What passes by itself says nothing about the table.
bool passes(std::string_view code) {
    constexpr std::array classes{"40", "53", "55", "57", "58"};
    return std::any_of(classes.begin(), classes.end(), [&](const char* c) { return code.starts_with(c); });
}

std::int64_t number(const std::string& text) {
    std::int64_t n = 0;
    std::from_chars(text.data(), text.data() + text.size(), n);
    return n;
}

}  // namespace

parking::parking(parking_settings settings, std::function<int()> leader)
    : settings_(std::move(settings)), leader_(std::move(leader)), look_time_(settings_.statement_timeout) {}

asio::awaitable<core::result<void>> parking::connect() {
    if (connection_) co_return boost::system::in_place_value;
    auto conninfo = settings_.conninfo;
    auto opened = co_await connection::open(std::move(conninfo), settings_.connect_timeout);
    if (!opened) co_return opened.error();
    connection_.emplace(std::move(*opened));
    co_return boost::system::in_place_value;
}

// What fails, for whatever reason, leaves an aborted transaction or half an answer: the connection goes.
void parking::drop_connection() {
    refusal_ = connection_->refusal();
    user_ = connection_->user();
    connection_.reset();
}

asio::awaitable<core::result<rows>> parking::run(std::string sql, parameters values) {
    return run(std::move(sql), std::move(values), settings_.statement_timeout);
}

asio::awaitable<core::result<rows>> parking::run(std::string sql, parameters values,
                                                 core::milliseconds time) {
    auto connected = co_await connect();
    if (!connected) co_return connected.error();
    auto answer = co_await connection_->query(std::move(sql), std::move(values), steady::now() + time);
    if (!answer) drop_connection();
    co_return answer;
}

// In a transaction, whose lock waits for what is being written.
asio::awaitable<core::result<rows>> parking::look() {
    parameters none;
    auto begun = co_await run("BEGIN", std::move(none));
    if (!begun) co_return begun;
    parameters time{std::to_string(look_time_.count())};
    auto limited = co_await run(limits, std::move(time));
    if (!limited) co_return limited;
    parameters key{election("parked:" + settings_.name).key()};
    auto waited = co_await run(waiting, std::move(key));
    if (!waited) co_return waited;
    parameters nothing;
    const auto indexed = co_await run(has_stretch_index, std::move(nothing));
    if (!indexed) co_return indexed;
    auto sql = ends_of_each(indexed->at(0).at(0) != "0");
    parameters name{settings_.name};
    auto found = co_await run(std::move(sql), std::move(name), look_time_ + slack);
    const bool too_slow = !found && (found.error().code == core::errc::timeout || refusal_ == query_canceled);
    if (too_slow) look_time_ = std::min(2 * look_time_, longest_look);
    co_return found;
}

asio::awaitable<core::result<std::vector<event::parked_range>>> parking::ranges() {
    std::vector<event::parked_range> all;
    auto found = co_await look();
    if (!found) {
        core::failure why = found.error();
        const bool refused = why.code == core::errc::server_error;
        if (refused && refusal_ == undefined_table) co_return all;
        if (refused && refusal_ == insufficient_privilege) why.message = with_mend(why.message, user_);
        co_return why;
    }
    connection_.reset();
    for (const auto& r : *found) {
        event::parked first;
        event::parked last;
        event::read_numbers(r[0].value_or(""), first);
        event::read_numbers(r[1].value_or(""), last);
        event::widen(all, first, last);
    }
    co_return all;
}

asio::awaitable<core::result<void>> parking::make_table() {
    if (table_made_) co_return boost::system::in_place_value;
    auto made = co_await ensure_schema(*connection_, steady::now() + settings_.statement_timeout);
    if (!made) drop_connection();
    missing_ = !made && made.error().code == core::errc::server_error && !passes(refusal_);
    if (!made) co_return made.error();
    table_made_ = true;
    co_return boost::system::in_place_value;
}

parameters parking::row_values(const std::vector<event::parked>& events) const {
    text_array channels;
    text_array numbers;
    text_array payloads;
    for (const auto& e : events) {
        channels.add(e.channel);
        numbers.add(event::numbers_text(e));
        payloads.add(e.payload);
    }
    return {settings_.name,  channels.take(),           numbers.take(),
            payloads.take(), std::to_string(leader_()), election(settings_.name).key()};
}

asio::awaitable<core::result<bool>> parking::write(std::vector<event::parked> events) {
    auto sql = std::string(behind_all).append(the_leaders_events);
    auto values = row_values(events);
    return insert(std::move(sql), std::move(values), events.size());
}

asio::awaitable<core::result<bool>> parking::put_back(std::vector<event::parked> events) {
    auto sql = std::string(in_front_of_all).append(the_leaders_events);
    auto values = row_values(events);
    // The ids are unique among all names, so that each has its own room below zero.
    const auto room = (number(election(settings_.name).key()) & 0x3fff'ffff) << 32;
    values.emplace_back(std::to_string(-room));
    values.emplace_back(std::to_string(events.size()));
    return insert(std::move(sql), std::move(values), events.size());
}

// One transaction.
asio::awaitable<core::result<bool>> parking::insert(std::string sql, parameters values, std::size_t events) {
    auto connected = co_await connect();
    if (!connected) co_return connected.error();
    auto made = co_await make_table();
    if (!made) co_return made.error();
    parameters none;
    auto begun = co_await run("BEGIN", std::move(none));
    if (!begun) co_return begun.error();
    parameters key{election("parked:" + settings_.name).key()};
    auto locked = co_await run(writing, std::move(key));
    if (!locked) co_return locked.error();
    auto written = co_await run(std::move(sql), std::move(values));
    if (!written) {
        // It may be gone.
        table_made_ = false;
        co_return written.error();
    }
    parameters nothing;
    auto done = co_await run("COMMIT", std::move(nothing));
    if (!done) co_return done.error();
    co_return written->size() == events;
}

asio::awaitable<core::result<std::vector<event::parked>>> parking::read(std::int64_t id, std::size_t limit) {
    parameters values{settings_.name, std::to_string(id), std::to_string(limit)};
    auto found = co_await run(oldest, std::move(values));
    if (!found) co_return found.error();
    std::vector<event::parked> all;
    for (auto& r : *found) {
        event::parked p;
        p.id = number(r[0].value_or(""));
        p.channel = r[1].value_or("");
        event::read_numbers(r[2].value_or(""), p);
        p.payload = std::move(r[3]).value_or("");
        all.push_back(std::move(p));
    }
    co_return all;
}

asio::awaitable<core::result<void>> parking::forget(std::int64_t id) {
    parameters values{settings_.name, std::to_string(id)};
    auto done =
        co_await run("DELETE FROM postrider.parked WHERE name = $1 AND id <= $2::bigint", std::move(values));
    if (!done) co_return done.error();
    co_return boost::system::in_place_value;
}

}  // namespace postrider::postgres
