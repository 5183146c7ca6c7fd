// How far what is put aside reaches: the same answer with an index and without, however much there is.
#include "postgres/parked_ends.hpp"

#include <doctest/doctest.h>

#include <array>
#include <random>

#include "postgres/schema.hpp"
#include "support/loop.hpp"
#include "support/postgres_server.hpp"
#include "support/sql.hpp"
#include "unit/event/seed.hpp"

using namespace postrider;
using namespace postrider::test;

namespace {

using list = std::vector<std::string>;
using table = std::vector<list>;

// What the statement has to say, as it was first written: every event is looked at, with a regular
// expression.
constexpr const char* reference = R"(
SELECT first, last
FROM (SELECT first.numbers AS first, last.numbers AS last, first.id
      FROM (SELECT min(id) AS first, max(id) AS last FROM postrider.parked
            WHERE name = $1 AND (id > 0 OR numbers LIKE '%@@%')
            GROUP BY channel, substring(numbers FROM '@@([^ ]+)')) AS e
      JOIN postrider.parked AS first ON first.id = e.first JOIN postrider.parked AS last ON last.id = e.last
      UNION ALL
      SELECT route || ' ' || min(number) || ' ' || mark, route || ' ' || max(number) || ' ' || mark, min(id)
      FROM (SELECT split_part(numbers, ' ', 1) AS route, split_part(numbers, ' ', 2)::numeric AS number,
                   split_part(numbers, ' ', 3) || ' ' || split_part(numbers, ' ', 4) AS mark, id
            FROM postrider.parked WHERE name = $1 AND id <= 0 AND numbers NOT LIKE '%@@%') AS one_each
      GROUP BY route, mark) AS ends
ORDER BY id)";

const support::postgres_server& server() {
    static const support::postgres_server shared;
    return shared;
}

// The schema in a database of its own.
struct tables {
    tables() {
        support::sql owner(server().url());
        owner.run("DROP DATABASE IF EXISTS ends WITH (FORCE)");
        owner.run("CREATE DATABASE ends");
        auto opened = l.value_of(postgres::connection::open(server().url("ends"), 60s));
        REQUIRE_MESSAGE(opened.has_value(), (opened ? "" : opened.error().message));
        const auto made = l.value_of(postgres::ensure_schema(*opened, in(60s)));
        REQUIRE_MESSAGE(made.has_value(), (made ? "" : made.error().message));
    }

    loop l;
    support::sql database{server().url("ends")};
};

struct thrown {
    std::mt19937_64 dice;

    int number(int low, int high) { return throw_dice(dice, low, high); }
    template <std::size_t N>
    std::string one_of(const std::array<const char*, N>& all) {
        return all[static_cast<std::size_t>(number(0, static_cast<int>(N) - 1))];
    }
    std::string marker() { return one_of(std::array{"4fa9c2", "0b11d7", "c0ffee", "a", "f@@1"}); }

    // One route's part of the numbers: known, with or without a marker; or none, behind a marker or none.
    std::string of_route(const std::string& route, bool numbered) {
        const auto n = std::to_string(number(1, 99'999));
        if (numbered)
            return route + " " + n + (number(0, 1) == 0 ? "" : " @" + route + "@" + marker() + " 7");
        return route + " 0" + (number(0, 4) == 0 ? "" : " @" + route + "@@" + marker() + " " + n);
    }
    std::string numbers() {
        const bool numbered = number(0, 2) != 0;
        auto text = of_route(one_of(std::array{"r", "bot_events", "x.y-z"}), numbered);
        if (number(0, 3) == 0) text += " " + of_route("second", numbered);
        if (number(0, 5) == 0) text += " <r 12";
        return number(0, 60) == 0 ? "" : text;
    }
};

void fill(support::sql& database, thrown& t, int events) {
    database.run("TRUNCATE postrider.parked");
    const bool in_front = t.number(0, 1) == 0;
    for (int i = 0; i < events; ++i) {
        const int place = i - (in_front ? events / 3 : 0);
        // What was put in front of all has numbers, or lies behind markers.
        auto numbers = t.numbers();
        if (place <= 0 && numbers.empty()) numbers = "r 3";
        const auto channel = t.one_of(std::array{"a", "b", "ä", "B", "quo'te", ""});
        database.rows(
            "INSERT INTO postrider.parked (id, name, channel, numbers, payload) OVERRIDING SYSTEM VALUE "
            "VALUES ($1, $2, $3, $4, 'x')",
            {std::to_string(place), t.number(0, 4) == 0 ? "other" : "chat", channel, numbers});
    }
    if (t.number(0, 2) == 0) database.run("DELETE FROM postrider.parked WHERE id % 3 = 0");
    if (t.number(0, 1) == 0) database.run("ANALYZE postrider.parked");
}

}  // namespace

TEST_CASE("the ends of the stretches are those that a look at every event finds, whatever is put aside") {
    tables t;
    REQUIRE(t.database.rows(postgres::has_stretch_index).at(0).at(0) == "1");
    thrown dice{std::mt19937_64(random_seed())};
    for (int round = 0; round < 40; ++round) {
        fill(t.database, dice, dice.number(0, 120));
        for (const auto* name : {"chat", "other", "nobody"}) {
            CAPTURE(round);
            CAPTURE(name);
            const auto expected = t.database.rows(reference, {name});
            CHECK(t.database.rows(postgres::ends_of_each(true), {name}) == expected);
            CHECK(t.database.rows(postgres::ends_of_each(false), {name}) == expected);
        }
    }
    t.database.run("DROP INDEX postrider.parked_stretches");
    CHECK(t.database.rows(postgres::has_stretch_index).at(0).at(0) == "0");
}

TEST_CASE("with the index only the ends are read, whatever the statistics say") {
    tables t;
    // The second channel comes after all of the first, and the statistics are those of an empty table.
    t.database.run(
        "ALTER TABLE postrider.parked SET (autovacuum_enabled = false); ANALYZE postrider.parked;"
        "INSERT INTO postrider.parked (name, channel, numbers, payload) "
        "SELECT 'chat', CASE WHEN g <= 19000 THEN 'a' ELSE 'b' END, 'r ' || g, '' "
        "FROM generate_series(1, 20000) AS g");
    const auto read = [&] {
        t.database.run("SELECT pg_stat_force_next_flush()");
        return std::stol(
            t.database.rows("SELECT idx_tup_fetch + seq_tup_read FROM pg_stat_user_tables "
                            "WHERE relname = 'parked'")[0][0]);
    };
    SUBCASE("of an empty table") {}
    SUBCASE("of this one") {
        t.database.run("ANALYZE postrider.parked");
    }
    const auto before = read();
    const auto found = t.database.rows(postgres::ends_of_each(true), {"chat"});
    CHECK(found == table{{"r 1", "r 19000"}, {"r 19001", "r 20000"}});
    CHECK(read() - before < 100);
}
