// What a catch-up query brings when the lead changes.
#include <doctest/doctest.h>

#include <algorithm>

#include "message_table.hpp"
#include "running_postrider.hpp"
#include "servers.hpp"
#include "support/eventually.hpp"
#include "support/tcp_gate.hpp"

namespace postrider::test {
namespace {

// The routes of the message table, with a short overlap and a catch-up that is not tried again by itself.
std::string routes() {
    std::string text = message_table::routes();
    const std::string narrow = "overlap = \"300ms\"\n";
    for (auto at = text.find("\nid = "); at != std::string::npos;
         at = text.find("\nid = ", at + narrow.size() + 1))
        text.insert(at + 1, narrow);
    return text.replace(text.find("\"1s\""), 4, "\"60s\"");
}

TEST_CASE("a catch-up that failed does not begin where it would have, once another has led meanwhile") {
    support::tcp_gate gate(shared_postgres().port());
    auto& redis = shared_redis();
    message_table table(shared_postgres().url());
    support::sql database(shared_postgres().url());
    running_postrider first(
        {.postgres_url = postgres_at(gate.port()), .redis_url = redis.url(), .file = routes()});
    INFO(first.end_of_log());
    REQUIRE(first.becomes_ready());
    REQUIRE(table.write("a"));
    REQUIRE(wait_for_list(redis, "singles", 1).size() == 1);
    database.run("ALTER TABLE messages RENAME COLUMN created_at TO written_at");
    gate.cut();
    // Of both routes.
    const std::string words = "the catch-up query failed";
    REQUIRE(first.logs(words));
    REQUIRE(first.logs(words, 30s, first.log().find(words) + words.size()));
    database.run("ALTER TABLE messages RENAME COLUMN written_at TO created_at");

    running_postrider second(
        {.postgres_url = shared_postgres().url(), .redis_url = redis.url(), .file = routes()});
    INFO(second.end_of_log());
    REQUIRE(second.becomes("standby"));
    gate.refuse();
    REQUIRE(second.answers("/health/readiness", R"("role":"leader")"));
    // It forgets the ids of long ago.
    REQUIRE(support::repeatedly(
        [&] {
            table.write("b");
            const auto ids = redis.command({"ZRANGE", "postrider:{singles}:seen:single", "0", "-1"});
            return std::find(ids.begin(), ids.end(), "a-1") == ids.end();
        },
        30s));
    gate.pass();
    REQUIRE(first.becomes("standby"));
    second.kill();
    REQUIRE(first.answers("/health/readiness", R"("role":"leader")"));
    REQUIRE(first.becomes_ready());
    REQUIRE(table.write("b"));
    CHECK(table.talk().verdict(wait_for_list(redis, "singles", table.talk().total())) == "");
}

}  // namespace
}  // namespace postrider::test
