#include "postgres/dead_letters.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

#include "event/time.hpp"
#include "postgres/array.hpp"

namespace postrider::postgres {
namespace {

using event::dead_letter;

constexpr std::size_t columns = 17;

template <class Number>
Number number(const std::optional<std::string>& text) {
    Number n{};
    if (text) std::from_chars(text->data(), text->data() + text->size(), n);
    return n;
}

event::target_kind target_kind(std::string_view word) {
    if (word == "stream") return event::target_kind::stream;
    return word == "pubsub" ? event::target_kind::pubsub : event::target_kind::list;
}

std::string array(const std::vector<std::pair<std::int64_t, std::string>>& seen) {
    text_array words;
    for (const auto& [time, id] : seen) {
        words.add(std::to_string(time));
        words.add(id);
    }
    return words.take();
}

// What find_letters() asks for as lines: ids hold no control characters.
std::vector<std::pair<std::int64_t, std::string>> seen_of(const std::string& lines) {
    std::vector<std::pair<std::int64_t, std::string>> seen;
    for (std::size_t at = 0; at < lines.size();) {
        const auto time_end = std::min(lines.find('\n', at), lines.size());
        const auto id_at = std::min(time_end + 1, lines.size());
        const auto id_end = std::min(lines.find('\n', id_at), lines.size());
        seen.emplace_back(number<std::int64_t>(lines.substr(at, time_end - at)),
                          lines.substr(id_at, id_end - id_at));
        at = id_end + 1;
    }
    return seen;
}

void append(parameters& all, std::size_t place, const dead_letter& l) {
    const bool push = l.kind == dead_letter::origin::push;
    all.insert(all.end(),
               {std::to_string(place), l.token, std::string(event::name(l.kind)), l.route, l.channel, l.key,
                l.payload, std::string(push ? event::name(l.target.kind) : ""), l.target.name,
                std::to_string(l.target.max_length), l.seen_in, array(l.seen), l.reason, l.error,
                std::to_string(l.attempts), event::format_time(l.first), event::format_time(l.last)});
}

std::string store_statement(std::size_t letters) {
    std::string values;
    for (std::size_t r = 0; r < letters; ++r) {
        values += r == 0 ? "(" : "), (";
        for (std::size_t i = 1; i <= columns; ++i)
            values += fmt::format("{}${}::text", i == 1 ? "" : ", ", r * columns + i);
    }
    return fmt::format(R"(
WITH came (place, token, kind, route, channel, key, payload, target_kind, target, target_length, seen_in, seen,
           reason, error, attempts, first_at, last_at) AS (VALUES {})),
known AS (
    UPDATE postrider.dead_letters d
    SET attempts = d.attempts + CASE WHEN d.token = c.token THEN 0 ELSE c.attempts::bigint END,
        token = c.token, error = c.error, last_at = greatest(d.last_at, c.last_at::timestamptz)
    FROM (SELECT came.*, (SELECT min(x.id) FROM postrider.dead_letters x
                          WHERE hashtextextended(x.payload, 0) = hashtextextended(came.payload, 0)
                            AND x.payload = came.payload AND x.kind = came.kind AND x.route = came.route
                            AND x.reason = came.reason AND x.channel = came.channel) AS stored
          FROM came WHERE came.kind = 'event') c
    WHERE d.id = c.stored
    RETURNING c.place)
INSERT INTO postrider.dead_letters (token, kind, route, channel, key, payload, target_kind, target, target_length,
                                    seen_in, seen, reason, error, attempts, first_at, last_at)
SELECT token, kind, route, channel, key, payload, target_kind, target, target_length::bigint, seen_in,
       seen::text[], reason, error, attempts::bigint, first_at::timestamptz, last_at::timestamptz
FROM came WHERE place NOT IN (SELECT place FROM known) ORDER BY place::integer
ON CONFLICT (token) DO NOTHING)",
                       values);
}

// The filter's parameters are $1 to $6.
constexpr std::string_view meant = R"(
($1::text = '' OR route = $1::text) AND ($2::text = '' OR reason = $2::text)
AND ($3::bigint[] = '{}' OR id = ANY ($3::bigint[]))
AND (last_at <= now() - nullif($4::text, '')::interval) IS NOT FALSE
AND (last_at >= now() - nullif($5::text, '')::interval) IS NOT FALSE
AND id <= $6::bigint)";

std::string interval(const std::optional<core::milliseconds>& age) {
    return age ? fmt::format("{} milliseconds", age->count()) : "";
}

parameters values_of(const event::letter_filter& f, std::int64_t up_to) {
    std::string ids = "{";
    for (const auto id : f.ids)
        ids += fmt::format("{}{}", ids.size() > 1 ? "," : "", id);
    return {
        f.route, f.reason, ids + '}', interval(f.older_than), interval(f.newer_than), std::to_string(up_to)};
}

std::string time_text(std::string_view column) {
    return fmt::format(R"(to_char({} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US'))", column);
}

stored_letter letter_of(const row& columns_of) {
    std::size_t at = 0;
    const auto next = [&] { return columns_of.at(at++).value_or(""); };
    stored_letter s;
    s.number = number<std::int64_t>(next());
    auto& l = s.letter;
    l.token = next();
    l.kind = next() == "push" ? dead_letter::origin::push : dead_letter::origin::event;
    l.route = next();
    l.channel = next();
    l.key = next();
    l.payload = next();
    l.target.kind = target_kind(next());
    l.target.name = next();
    l.target.max_length = number<std::uint64_t>(next());
    l.seen_in = next();
    l.seen = seen_of(next());
    l.reason = next();
    l.error = next();
    l.attempts = number<std::uint64_t>(next());
    l.first = event::parse_time(next()).value_or(dead_letter::wall_time{});
    l.last = event::parse_time(next()).value_or(dead_letter::wall_time{});
    return s;
}

}  // namespace

asio::awaitable<core::result<void>> store_letters(connection& c, std::vector<stored_letter> letters,
                                                  net::deadline limit) {
    if (letters.empty()) co_return boost::system::in_place_value;
    parameters values;
    for (std::size_t i = 0; i < letters.size(); ++i)
        append(values, i, letters[i].letter);
    auto sql = store_statement(letters.size());
    auto done = co_await c.query(std::move(sql), std::move(values), limit);
    if (!done) co_return done.error();
    co_return boost::system::in_place_value;
}

asio::awaitable<core::result<std::vector<stored_letter>>> find_letters(connection& c, event::letter_filter f,
                                                                       std::int64_t after, std::int64_t up_to,
                                                                       std::size_t most,
                                                                       net::deadline limit) {
    auto sql = fmt::format(
        "SELECT id, token, kind, route, channel, key, payload, target_kind, target, target_length, seen_in, "
        "array_to_string(seen, E'\\n'), reason, error, attempts, {}, {} FROM (SELECT *, "
        "sum(octet_length(payload)) OVER (ORDER BY id) AS bytes, row_number() OVER (ORDER BY id) AS place "
        "FROM "
        "(SELECT * FROM postrider.dead_letters WHERE {} AND id > $7::bigint ORDER BY id LIMIT $8::bigint) "
        "meant) "
        "page WHERE bytes <= {} OR place = 1 ORDER BY id",
        time_text("first_at"), time_text("last_at"), meant, page_bytes);
    auto values = values_of(f, up_to);
    values.emplace_back(std::to_string(after));
    values.emplace_back(std::to_string(most));
    auto found = co_await c.query(std::move(sql), std::move(values), limit);
    if (!found) co_return found.error();
    std::vector<stored_letter> letters;
    for (const auto& each : *found)
        letters.push_back(letter_of(each));
    co_return letters;
}

asio::awaitable<core::result<letter_count>> count_letters(connection& c, event::letter_filter f,
                                                          net::deadline limit) {
    auto sql = fmt::format(
        "SELECT count(*), coalesce((SELECT max(id) FROM postrider.dead_letters), 0) "
        "FROM postrider.dead_letters WHERE {}",
        meant);
    auto values = values_of(f, std::numeric_limits<std::int64_t>::max());
    auto found = co_await c.query(std::move(sql), std::move(values), limit);
    if (!found) co_return found.error();
    letter_count counted;
    counted.count = number<std::uint64_t>(found->at(0).at(0));
    counted.newest = number<std::int64_t>(found->at(0).at(1));
    co_return counted;
}

asio::awaitable<core::result<std::uint64_t>> drop_letters(connection& c, event::letter_filter f,
                                                          std::int64_t up_to, std::size_t most,
                                                          net::deadline limit) {
    auto sql = fmt::format(
        "WITH gone AS (DELETE FROM postrider.dead_letters WHERE id IN (SELECT id FROM postrider.dead_letters "
        "WHERE {} ORDER BY id LIMIT $7::bigint) RETURNING 1) SELECT count(*) FROM gone",
        meant);
    auto values = values_of(f, up_to);
    values.emplace_back(std::to_string(most));
    auto found = co_await c.query(std::move(sql), std::move(values), limit);
    if (!found) co_return found.error();
    co_return number<std::uint64_t>(found->at(0).at(0));
}

}  // namespace postrider::postgres
