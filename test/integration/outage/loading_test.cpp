// A real start of Redis that takes long, because it has much to read.
#include <doctest/doctest.h>

#include "running_postrider.hpp"
#include "servers.hpp"
#include "support/eventually.hpp"
#include "talking.hpp"

namespace postrider::test {
namespace {

// Reads its dump as slowly as the test wants, and answers between any two keys.
struct slow_start {
    slow_start() {
        for (int i = 0; i < 100; ++i)
            redis.command({"SET", "filler:" + std::to_string(i), std::string(1'100, 'x')});
    }
    // In order, with all that it holds in its dump.
    void stop() {
        redis.command({"CONFIG", "SET", "save", "3600 1"});
        folder = redis.command({"CONFIG", "GET", "dir"}).at(1);
        redis.stop();
    }
    // Each key takes a second, which is far longer than the test.
    void start() {
        support::process::settings program;
        program.arguments = {"redis-server",
                             "--port",
                             std::to_string(redis.port()),
                             "--bind",
                             "127.0.0.1",
                             "--dir",
                             folder,
                             "--save",
                             "",
                             "--key-load-delay",
                             "1000000",
                             "--loading-process-events-interval-bytes",
                             "1024",
                             "--rdbcompression",
                             "no"};
        loading.emplace(std::move(program));
    }
    // It may not answer yet.
    void hurry() {
        REQUIRE(support::eventually([this] {
            try {
                return !redis.command({"CONFIG", "SET", "key-load-delay", "0"}).empty();
            } catch (const std::runtime_error&) {
                return false;
            }
        }));
    }

    support::redis_server redis{{.persistent = false, .arguments = {"--rdbcompression", "no"}}};
    std::string folder;
    std::optional<support::process> loading;
};

TEST_CASE("a Redis that starts with much to read is waited for and told, and then everything leaves once") {
    slow_start server;
    support::sql database(shared_postgres().url());
    chat talk;
    const auto say = [&](int messages) {
        for (int i = 0; i < messages; ++i)
            database.notify("chat", next_message(talk));
    };
    running_postrider bridge({.postgres_url = shared_postgres().url(),
                              .redis_url = server.redis.url(),
                              .file = both_ways("100ms", "0s")});
    INFO(bridge.end_of_log());
    REQUIRE(bridge.becomes_ready());
    say(50);
    REQUIRE(wait_for_messages(server.redis, "groups", 50).size() >= 25);
    REQUIRE(bridge.answers("/stats", R"("waiting":0)"));
    SUBCASE("by a bridge that knew it before") {
        server.stop();
        say(50);
        server.start();
    }
    SUBCASE("by a bridge that starts meanwhile") {
        bridge.signal(SIGTERM);
        REQUIRE(bridge.ends() == 0);
        server.stop();
        server.start();
        bridge.start();
        REQUIRE(bridge.logs("postgres: listening at"));
    }
    REQUIRE(bridge.logs("LOADING Redis is loading the dataset in memory"));
    CHECK(bridge.answers("/health/readiness", "LOADING"));
    CHECK(bridge.get("/health/readiness").status == 503);
    CHECK(bridge.get("/health").status == 200);
    say(50);
    server.hurry();
    REQUIRE(bridge.becomes_ready(60s));
    say(50);
    CHECK(talk.verdict(wait_for_list(server.redis, "singles", talk.total())) == "");
    CHECK(talk.verdict(wait_for_messages(server.redis, "groups", talk.total())) == "");
    CHECK(bridge.answers("/stats", R"("failed":0)"));
}

}  // namespace
}  // namespace postrider::test
