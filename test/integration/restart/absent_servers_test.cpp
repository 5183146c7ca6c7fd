#include <doctest/doctest.h>

#include "chat.hpp"
#include "running_postrider.hpp"
#include "servers.hpp"
#include "support/ports.hpp"

namespace postrider::test {
namespace {

postrider_settings quick_groups(const std::string& postgres_url, const std::string& redis_url) {
    return {.postgres_url = postgres_url,
            .redis_url = redis_url,
            .environment = {{"GROUPING_DELAY", "100ms"}, {"PUSH_COOLDOWN", "0"}},
            .reconnects_quickly = true};
}

void check_it_works(running_postrider& bridge, support::redis_server& redis,
                    const std::string& postgres_url) {
    REQUIRE(bridge.becomes_ready(60s));
    support::sql database(postgres_url);
    chat talk;
    notify_together(database, "bot_events", {talk.next("a"), talk.next("b")});
    CHECK(talk.verdict(wait_for_list(redis, "bot_messages", 2)) == "");
}

TEST_CASE("without Redis it starts and waits; what came meanwhile is delivered when Redis comes") {
    support::redis_server redis;
    redis.stop();
    support::sql database(shared_postgres().url());
    running_postrider bridge(quick_groups(shared_postgres().url(), redis.url()));
    INFO(bridge.end_of_log());
    REQUIRE(bridge.answers("/health/readiness", R"("database":{"status":"up")"));
    CHECK(bridge.get("/health/readiness").status == 503);
    CHECK(bridge.get("/health").status == 200);
    chat talk;
    notify_together(database, "bot_events", {talk.next("a"), talk.next("a"), talk.next("b")});
    CHECK(bridge.logs("attempt 2 failed"));
    redis.start();
    REQUIRE(bridge.becomes_ready(60s));
    CHECK(talk.verdict(wait_for_list(redis, "bot_messages", 2)) == "");
}

TEST_CASE("without Postgres it starts and waits") {
    support::postgres_server postgres;
    postgres.stop();
    auto& redis = shared_redis();
    auto settings = quick_groups(postgres.url(), redis.url());
    settings.environment.emplace_back("POSTGRES_BACKOFF_FIRST", "200ms");
    running_postrider bridge(settings);
    INFO(bridge.end_of_log());
    REQUIRE(bridge.logs("postgres: attempt 2 failed: "));
    CHECK(bridge.get("/health/readiness").status == 503);
    postgres.start();
    check_it_works(bridge, redis, postgres.url());
}

TEST_CASE("how long it waits between two attempts is as set, for each of the servers") {
    const auto redis_url = redis_at(support::free_port());
    running_postrider bridge({.postgres_url = postgres_at(support::free_port()),
                              .redis_url = redis_url,
                              .environment = {{"POSTGRES_BACKOFF_FIRST", "20ms"},
                                              {"POSTGRES_BACKOFF_CAP", "40ms"},
                                              {"REDIS_BACKOFF_FIRST", "20ms"},
                                              {"REDIS_BACKOFF_CAP", "40ms"}}});
    INFO(bridge.end_of_log());
    // By the defaults the eighth would come after more than a minute.
    CHECK(bridge.logs("postgres: attempt 8 failed"));
    CHECK(bridge.logs("redis " + redis_url + "/0: attempt 8 failed"));
}

TEST_CASE("a dead first host of the connection string is passed over") {
    auto& redis = shared_redis();
    const std::string url = "postgresql://postgres@127.0.0.1:" + std::to_string(support::free_port()) +
                            ",127.0.0.1:" + std::to_string(shared_postgres().port()) + "/postgres";
    running_postrider bridge(quick_groups(url, redis.url()));
    INFO(bridge.end_of_log());
    check_it_works(bridge, redis, shared_postgres().url());
}

TEST_CASE("with target_session_attrs=read-write a server that only reads is passed over") {
    support::postgres_server reader({.configuration = {"default_transaction_read_only = on"}});
    auto& redis = shared_redis();
    const std::string url = "postgresql://postgres@127.0.0.1:" + std::to_string(reader.port()) +
                            ",127.0.0.1:" + std::to_string(shared_postgres().port()) +
                            "/postgres?target_session_attrs=read-write";
    running_postrider bridge(quick_groups(url, redis.url()));
    INFO(bridge.end_of_log());
    REQUIRE(bridge.logs("listening at 127.0.0.1:" + std::to_string(shared_postgres().port())));
    check_it_works(bridge, redis, shared_postgres().url());
}

}  // namespace
}  // namespace postrider::test
