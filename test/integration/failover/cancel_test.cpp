// What cancels comes on a channel that no route has, so that no number says what a leader has done with it.
#include <doctest/doctest.h>

#include "running_postrider.hpp"
#include "servers.hpp"
#include "support/eventually.hpp"
#include "support/tcp_gate.hpp"
#include "talking.hpp"

namespace postrider::test {
namespace {

const auto routes = std::string("[redis]\ncommand_timeout = \"60s\"\n") + reminders_route;

// Which reminders wait in Redis, by their keys.
std::string waiting(support::redis_server& redis) {
    std::string all;
    for (const std::string id : {"a", "b", "c"})
        for (const auto& name : redis.command({"KEYS", "postrider:delay:*"})) {
            const auto text = redis.command({"GET", name});
            if (!text.empty() && text.front().find(R"("key":")" + id + '"') != std::string::npos) all += id;
        }
    return all;
}

std::string leading_session(support::sql& database) {
    const auto rows = database.rows(
        "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND mode = 'ExclusiveLock' AND granted");
    return rows.empty() ? "" : rows.front().front();
}

TEST_CASE(
    "who takes over cancels what came before the answer that it holds, and nothing that came after it") {
    auto& redis = shared_redis();
    support::sql database(shared_postgres().url());
    support::tcp_gate of_first(redis.port());
    support::tcp_gate of_second(redis.port());
    const auto settings = [&](const support::tcp_gate& gate) {
        return postrider_settings{
            .postgres_url = shared_postgres().url(), .redis_url = redis_at(gate.port()), .file = routes};
    };
    running_postrider first(settings(of_first));
    REQUIRE(first.becomes("leader"));
    running_postrider second(settings(of_second));
    INFO(second.end_of_log());
    REQUIRE(second.becomes("standby"));
    // From here on it cannot ask what the leader has done, and holds everything.
    of_second.stall();
    database.run("BEGIN");
    database.notify("answers", R"({"to":"a"})");
    database.notify("reminders", R"({"id":"a"})");
    database.notify("reminders", R"({"id":"b"})");
    database.run("COMMIT");
    REQUIRE(support::eventually([&] { return waiting(redis) == "ab"; }));
    // This answer the leader has taken, and Redis does not know.
    of_first.stall();
    database.notify("answers", R"({"to":"b"})");
    REQUIRE(first.answers("/stats", R"("cancelled":1)"));
    const auto leader = leading_session(database);
    first.kill();
    REQUIRE(support::eventually([&] {
        const auto now = leading_session(database);
        return !now.empty() && now != leader;
    }));
    of_second.pass();
    REQUIRE(second.becomes("leader"));
    database.notify("reminders", R"({"id":"c"})");
    REQUIRE(support::eventually([&] { return waiting(redis).ends_with("c"); }));
    CHECK(waiting(redis) == "ac");
    CHECK(second.answers("/stats", R"("cancelled":1)"));
}

// How many events of the session the leader has said to be done or saved.
std::uint64_t done(support::redis_server& redis) {
    const auto place = redis.command({"HMGET", "postrider:{sent}:place:reminder", "number", "base"});
    return std::stoull("0" + place.at(0)) - std::stoull("0" + place.at(1));
}

// How often it was asked for that by those who stand by, or lead from now on.
std::size_t looks_at_places(support::redis_server& redis) {
    const auto stats = redis.command({"INFO", "commandstats"}).front();
    const std::string what = "cmdstat_hmget:calls=";
    const auto at = stats.find(what);
    return at == std::string::npos ? 0 : std::stoul(stats.substr(at + what.size()));
}

TEST_CASE("an answer that a leader cut from Redis has taken counts once that is killed, also a look later") {
    support::redis_server redis;
    support::sql database(shared_postgres().url());
    support::tcp_gate of_first(redis.port());
    running_postrider first(
        {.postgres_url = shared_postgres().url(), .redis_url = redis_at(of_first.port()), .file = routes});
    REQUIRE(first.becomes("leader"));
    running_postrider second(
        {.postgres_url = shared_postgres().url(), .redis_url = redis_at(redis.port()), .file = routes});
    INFO(second.end_of_log());
    REQUIRE(second.becomes("standby"));
    for (const auto* id : {"a", "b"})
        database.notify("reminders", std::string(R"({"id":")") + id + R"("})");
    REQUIRE(support::eventually([&] { return waiting(redis) == "ab"; }));
    REQUIRE(support::eventually([&] { return done(redis) == 2; }));
    of_first.stall();
    const auto looks = looks_at_places(redis);
    database.notify("answers", R"({"to":"b"})");
    REQUIRE(first.answers("/stats", R"("cancelled":1)"));
    // Only the standby can ask, and with that it has nothing more to ask for.
    REQUIRE(support::eventually([&] { return looks_at_places(redis) > looks; }));
    first.kill();
    REQUIRE(second.becomes("leader"));
    REQUIRE(support::eventually([&] { return waiting(redis) == "a"; }));
    CHECK(second.answers("/stats", R"("cancelled":1)"));
}

}  // namespace
}  // namespace postrider::test
