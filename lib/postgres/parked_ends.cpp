#include "postgres/parked_ends.hpp"

#include <fmt/format.h>

#include <string_view>

namespace postrider::postgres {
namespace {

// As the index has it, word for word (schema.sql).
constexpr std::string_view marker_of =
    "coalesce(CASE WHEN numbers LIKE '%@@%' THEN substring(numbers FROM '@@([^ ]+)') END, '')";

constexpr std::string_view by_scan = R"(
WITH ends (first, last) AS (
    SELECT min(id), max(id) FROM postrider.parked WHERE name = $1 AND (id > 0 OR numbers LIKE '%@@%')
    GROUP BY channel, {0}))";

// From stretch to stretch, as the index has them in order. Only that index has the order asked for, so that
// no statistics can make the server take another one and filter millions of rows.
constexpr std::string_view by_index = R"(
WITH RECURSIVE stretches (channel, marker) AS (
    (SELECT channel, {0} FROM postrider.parked WHERE name = $1 ORDER BY channel, {0} LIMIT 1)
    UNION ALL
    SELECT following.channel, following.marker
    FROM stretches AS s CROSS JOIN LATERAL (
        SELECT channel, {0} AS marker FROM postrider.parked
        WHERE name = $1 AND (channel, {0}) > (s.channel, s.marker)
        ORDER BY channel, {0} LIMIT 1) AS following),
ends (first, last) AS (
    SELECT first.id, last.id
    FROM stretches AS s CROSS JOIN LATERAL (
        SELECT channel, {0} AS marker, id FROM postrider.parked
        WHERE name = $1 AND (channel, {0}, id) > (s.channel, s.marker, CASE s.marker
                                                  WHEN '' THEN 0 ELSE '-9223372036854775808'::bigint END)
        ORDER BY channel, {0}, id LIMIT 1) AS first CROSS JOIN LATERAL (
        SELECT id FROM postrider.parked
        WHERE name = $1 AND (channel, {0}, id) <= (s.channel, s.marker, '9223372036854775807'::bigint)
        ORDER BY channel DESC, {0} DESC, id DESC LIMIT 1) AS last
    WHERE first.channel = s.channel AND first.marker = s.marker))";

constexpr std::string_view of_both = R"(
SELECT first, last
FROM (SELECT (SELECT numbers FROM postrider.parked WHERE id = e.first) AS first,
             (SELECT numbers FROM postrider.parked WHERE id = e.last) AS last, e.first AS id
      FROM ends AS e
      UNION ALL
      SELECT route || ' ' || min(number) || ' ' || mark, route || ' ' || max(number) || ' ' || mark, min(id)
      FROM (SELECT split_part(numbers, ' ', 1) AS route, split_part(numbers, ' ', 2)::numeric AS number,
                   split_part(numbers, ' ', 3) || ' ' || split_part(numbers, ' ', 4) AS mark, id
            FROM postrider.parked WHERE name = $1 AND id <= 0 AND numbers NOT LIKE '%@@%') AS one_each
      GROUP BY route, mark) AS stretches
ORDER BY id)";

}  // namespace

// Names are looked up in the catalogue alone, because to_regclass() fails where the user may not look into
// the schema.
const char* const has_stretch_index = R"(
SELECT count(*) FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid
WHERE c.relname = 'parked_stretches' AND c.relnamespace = to_regnamespace('postrider') AND i.indisvalid)";

std::string ends_of_each(bool has_index) {
    auto statement = has_index ? fmt::format(by_index, marker_of) : fmt::format(by_scan, marker_of);
    return statement.append(of_both);
}

}  // namespace postrider::postgres
