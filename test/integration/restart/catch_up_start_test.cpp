// From where a catch-up asks: the newest event's time, less the overlap, after every outage anew.
#include <doctest/doctest.h>

#include "running_postrider.hpp"
#include "servers.hpp"
#include "support/eventually.hpp"
#include "support/tcp_gate.hpp"

namespace postrider::test {
namespace {

// The query writes down what it was asked.
constexpr const char* schema = R"(
DROP TABLE IF EXISTS lines, asked;
CREATE TABLE lines (n bigserial PRIMARY KEY, payload text NOT NULL, at timestamptz NOT NULL);
CREATE TABLE asked (n bigserial PRIMARY KEY, since timestamptz NOT NULL);
CREATE OR REPLACE FUNCTION lines_since(wanted timestamptz) RETURNS SETOF text LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO asked (since) VALUES (wanted);
        RETURN QUERY SELECT payload FROM lines WHERE at >= wanted ORDER BY n;
    END $$;
)";

constexpr const char* route = R"toml(
[[route]]
name = "single"
channel = "chat"
policy = "immediate"
to = "singles"
id = "/id"
time = "/at"
overlap = "500ms"
catch_up = "SELECT * FROM lines_since($1)"
)toml";

// Inserts an event of that time without a notification, and returns it.
std::string insert(support::sql& database, const std::string& id, const std::string& time) {
    return database
        .rows(
            "INSERT INTO lines (payload, at) SELECT json_build_object('id', $1::text, 'at', t)::text, t "
            "FROM (SELECT $2::timestamptz AS t) AS given RETURNING payload",
            {id, time})
        .at(0)
        .at(0);
}

std::string text_of(support::sql& database, const std::string& expression) {
    return database.rows("SELECT " + expression).at(0).at(0);
}

TEST_CASE("a catch-up starts the overlap before the newest event, and that moves on from outage to outage") {
    auto& redis = shared_redis();
    support::sql database(shared_postgres().url());
    database.run(schema);
    support::tcp_gate gate(shared_postgres().port());
    running_postrider bridge(
        {.postgres_url = postgres_at(gate.port()), .redis_url = redis.url(), .file = route});
    INFO(bridge.end_of_log());
    REQUIRE(bridge.becomes_ready());
    // No catch-up reaches behind the first start: what follows lies well after it.
    const auto started = text_of(database, "clock_timestamp()");
    REQUIRE(support::eventually([&] {
        return text_of(database, "clock_timestamp() > '" + started + "'::timestamptz + interval '1 s'") ==
               "t";
    }));

    std::vector<std::string> expected;
    for (int outage = 1; outage <= 2; ++outage) {
        CAPTURE(outage);
        const auto number = std::to_string(outage);
        const auto newest = text_of(database, "clock_timestamp()");
        const auto before = [&](const std::string& interval) {
            return text_of(database, "'" + newest + "'::timestamptz - interval '" + interval + "'");
        };
        expected.push_back(insert(database, "newest-" + number, newest));
        database.notify("chat", expected.back());
        REQUIRE(wait_for_list(redis, "singles", expected.size()) == expected);

        // The second would come behind the first, so where it is there and the first is not, that stays away.
        insert(database, "before-the-overlap-" + number, before("501 ms"));
        expected.push_back(insert(database, "in-the-overlap-" + number, before("499 ms")));
        gate.cut();
        CHECK(wait_for_list(redis, "singles", expected.size()) == expected);
        // Its rows are sent before it is committed.
        const auto expected_start = before("500 ms");
        std::string start;
        support::eventually([&] {
            start = text_of(database, "since FROM asked ORDER BY n DESC LIMIT 1");
            return start == expected_start;
        });
        CHECK(start == expected_start);
    }
}

}  // namespace
}  // namespace postrider::test
