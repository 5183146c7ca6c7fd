// `postrider schema`: printed, applied, refused.
#include <doctest/doctest.h>

#include "command.hpp"
#include "running_postrider.hpp"
#include "servers.hpp"
#include "support/eventually.hpp"

namespace postrider::test {
namespace {

std::string tables(support::sql& database) {
    return database
        .rows(
            "SELECT string_agg(tablename, ' ' ORDER BY tablename) FROM pg_tables WHERE schemaname = "
            "'postrider'")
        .at(0)
        .at(0);
}

std::string version(support::sql& database) {
    return database.rows("SELECT max(version) FROM postrider.schema_version").at(0).at(0);
}

TEST_CASE("the schema is printed without any configuration, and what is printed works, twice too") {
    const auto printed = run_command({"schema"});
    REQUIRE(printed.status == 0);
    CHECK(printed.output.starts_with("BEGIN;\n"));
    CHECK(printed.output.ends_with("COMMIT;\n"));
    support::sql database(new_database("printed"));
    database.run(printed.output);
    CHECK(tables(database).find("dead_letters") != std::string::npos);
    database.run(
        "INSERT INTO postrider.dead_letters (token, kind, route, channel, payload, reason, error, "
        "first_at, last_at) VALUES ('t', 'event', 'r', 'c', 'p', 'x', 'y', now(), now())");
    database.run(printed.output);
    CHECK(database.rows("SELECT count(*) FROM postrider.dead_letters").at(0).at(0) == "1");
    CHECK(version(database) == "2");
}

TEST_CASE("the schema is applied without a Redis, in one transaction, and gives another user its rights") {
    const auto url = new_database("applied");
    support::sql database(url);
    database.run("CREATE ROLE \"the bridge\" LOGIN");
    const auto done = run_command({"schema", "--apply", "--grant-to", "the bridge", "--postgres-url", url});
    CHECK(done.status == 0);
    CHECK(done.output.find("schema postrider is in place at 127.0.0.1:") != std::string::npos);
    database.run("SET ROLE \"the bridge\"");
    database.run(
        "INSERT INTO postrider.dead_letters (token, kind, route, channel, payload, reason, error, "
        "first_at, last_at) VALUES ('t', 'event', 'r', 'c', 'p', 'x', 'y', now(), now());"
        "UPDATE postrider.dead_letters SET attempts = 2; DELETE FROM postrider.dead_letters;"
        "SELECT version FROM postrider.schema_version");

    const auto nobody = run_command(
        {"schema", "--apply", "--grant-to", "nobody here", "--postgres-url", new_database("not_applied")});
    CHECK(nobody.status == 1);
    CHECK(nobody.output.find("role \"nobody here\" does not exist") != std::string::npos);
    support::sql untouched(shared_postgres().url("not_applied"));
    CHECK(tables(untouched) == "");
}

TEST_CASE(
    "a database of version 1 gets what it lacks, keeps what it has, and a second time changes nothing") {
    const auto url = new_database("of_version_1");
    support::sql database(url);
    // As version 1 was applied, before events were ever parked.
    const auto printed = run_command({"schema"});
    database.run(printed.output);
    database.run(
        "DROP TABLE postrider.parked; UPDATE postrider.schema_version SET version = 1;"
        "INSERT INTO postrider.dead_letters (token, kind, route, channel, payload, reason, error, "
        "first_at, last_at) VALUES ('t', 'event', 'r', 'c', 'p', 'x', 'y', now(), now())");
    SUBCASE("by the command") {
        for (int i = 0; i < 2; ++i) {
            const auto done = run_command({"schema", "--apply", "--postgres-url", url});
            CHECK(done.status == 0);
            CHECK(done.output.find(", version 2") != std::string::npos);
        }
    }
    SUBCASE("by the bridge itself, where its user may") {
        running_postrider bridge({.postgres_url = url, .redis_url = shared_redis().url()});
        INFO(bridge.end_of_log());
        REQUIRE(bridge.becomes_ready());
        CHECK(support::eventually([&] { return tables(database).find("parked") != std::string::npos; }));
    }
    CHECK(tables(database) == "dead_letters parked schema_version");
    CHECK(version(database) == "2");
    CHECK(database.rows("SELECT count(*) FROM postrider.dead_letters").at(0).at(0) == "1");
    database.run(
        "INSERT INTO postrider.parked (name, channel, numbers, payload) VALUES ('n', 'c', 'r 1', 'p')");
    run_command({"schema", "--apply", "--postgres-url", url});
    CHECK(database.rows("SELECT count(*) FROM postrider.parked").at(0).at(0) == "1");
}

TEST_CASE("a user who may not create the schema is told how to mend it") {
    const auto url = new_database("refused");
    support::sql(url).run("CREATE ROLE mallory LOGIN");
    auto as_mallory = url;
    as_mallory.replace(as_mallory.find("postgres@"), 8, "mallory");
    const auto refused = run_command({"schema", "--apply", "--postgres-url", as_mallory});
    CHECK(refused.status == 1);
    CHECK(refused.output.find("postrider: schema not applied: ") == 0);
    CHECK(refused.output.find("permission denied for database refused") != std::string::npos);
    CHECK(refused.output.find("run 'postrider schema --apply --grant-to mallory' with an owner's "
                              "--postgres-url") != std::string::npos);
}

TEST_CASE("a Postgres that is away, and a flag that is misspelt, are told") {
    const auto away =
        run_command({"schema", "--apply", "--postgres-url", "postgresql://postgres@127.0.0.1:1/x"});
    CHECK(away.status == 1);
    CHECK(away.output.find("schema not applied: 127.0.0.1:1: ") != std::string::npos);
    const auto misspelt = run_command({"schema", "--aply"});
    CHECK(misspelt.status == 2);
    CHECK(misspelt.output.find("unknown flag '--aply', did you mean '--apply'?") != std::string::npos);
}

}  // namespace
}  // namespace postrider::test
