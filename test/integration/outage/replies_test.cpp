// What Redis may answer to a push, each from a real server that answers so: what passes is waited for, what
// never will is left out alone.
#include <doctest/doctest.h>

#include <filesystem>
#include <thread>

#include "chat.hpp"
#include "running_postrider.hpp"
#include "servers.hpp"
#include "support/eventually.hpp"
#include "support/ports.hpp"
#include "talking.hpp"

namespace postrider::test {
namespace {

constexpr const char* two_targets = R"(
[[route]]
name = "single"
channel = "chat"
policy = "immediate"
to = "singles"
[[route]]
name = "other"
channel = "other"
policy = "immediate"
to = "others"
)";

constexpr const char* in_groups = R"(
[[route]]
name = "grouped"
channel = "chat"
policy = "group"
key = "/match_id"
window = "100ms"
cooldown = "0s"
to = "groups"
fields = { match_id = "/match_id" }
[[route]]
name = "other"
channel = "other"
policy = "immediate"
to = "others"
)";

// Both to the same target, so that one line saves and pushes.
constexpr const char* held_and_at_once = R"(
[[route]]
name = "held"
channel = "other"
policy = "group"
key = "/match_id"
window = "1h"
to = "groups"
[[route]]
name = "single"
channel = "chat"
policy = "immediate"
to = "groups"
)";

support::redis_server::settings with(std::vector<std::string> arguments) {
    support::redis_server::settings wanted;
    wanted.arguments = std::move(arguments);
    return wanted;
}

// A bridge, its Redis, and what was sent through them.
struct trial {
    explicit trial(support::redis_server& to, const std::string& url, const char* routes = two_targets)
        : redis(to),
          database(shared_postgres().url()),
          bridge({.postgres_url = shared_postgres().url(),
                  .redis_url = url,
                  .file = routes,
                  .reconnects_quickly = true}) {
        REQUIRE_MESSAGE(bridge.becomes_ready(), bridge.end_of_log());
    }

    void send(int messages) {
        for (int i = 0; i < messages; ++i)
            database.notify("chat", talk.next("k" + std::to_string(talk.total() % 5)));
    }
    void send_until_it_has_to_wait(const std::string& code) {
        const bool waits = support::repeatedly(
            [&] {
                send(1);
                return bridge.logs("has to wait: " + code, 0s);
            },
            30s);
        REQUIRE_MESSAGE(waits, bridge.end_of_log());
    }
    std::string verdict() {
        const auto list = wait_for_list(redis, "singles", talk.total());
        // A second delivery would come right behind the last.
        const bool settled = bridge.answers("/stats", R"("pushed":)" + std::to_string(talk.total()));
        return settled ? talk.verdict(list) : "not everything was acknowledged: " + bridge.end_of_log();
    }

    support::redis_server& redis;
    support::sql database;
    running_postrider bridge;
    chat talk;
};

TEST_CASE("OOM: a Redis without memory for 5 s is waited for, and takes everything afterwards") {
    support::redis_server redis;
    trial t(redis, redis.url());
    t.send(10);
    redis.command({"CONFIG", "SET", "maxmemory", "1"});
    const auto until = std::chrono::steady_clock::now() + 5s;
    t.send_until_it_has_to_wait("OOM");
    CHECK(t.bridge.answers("/health/readiness", "OOM"));
    while (std::chrono::steady_clock::now() < until) {
        t.send(1);
        std::this_thread::sleep_for(5ms);
    }
    const auto length = redis.list("singles").size();
    CHECK(length < t.talk.total());
    redis.command({"CONFIG", "SET", "maxmemory", "0"});
    t.send(10);
    CHECK(t.verdict() == "");
    CHECK(t.bridge.answers("/stats", R"("failed":0)"));
}

TEST_CASE("that open groups cannot be saved is said first, and then that a push has to wait") {
    support::redis_server redis;
    trial t(redis, redis.url(), held_and_at_once);
    redis.command({"CONFIG", "SET", "maxmemory", "1"});
    t.database.notify("other", t.talk.next("held"));
    REQUIRE(t.bridge.logs("open groups cannot be saved, a kill would lose them: OOM"));
    t.database.notify("chat", t.talk.next("a"));
    CHECK(t.bridge.logs("a push to groups has to wait: OOM"));
    redis.command({"CONFIG", "SET", "maxmemory", "0"});
    CHECK(wait_for_list(redis, "groups", 1).size() == 1);
}

TEST_CASE("READONLY: a primary that turned replica is waited for, and asked on new connections") {
    support::redis_server redis;
    trial t(redis, redis.url());
    t.send(10);
    // Of a primary that is not there, so that the data stay.
    redis.command({"REPLICAOF", "127.0.0.1", std::to_string(support::free_port())});
    const bool told = support::repeatedly(
        [&] {
            t.send(1);
            return t.bridge.logs("connection lost: READONLY", 0s);
        },
        30s);
    CHECK(told);
    redis.command({"REPLICAOF", "NO", "ONE"});
    t.send(10);
    CHECK(t.verdict() == "");
}

TEST_CASE("LOADING: a server that reads its data again is waited for") {
    auto wanted = with({"--key-load-delay", "20000", "--loading-process-events-interval-bytes", "1024",
                        "--rdbcompression", "no", "--enable-debug-command", "yes"});
    support::redis_server redis(wanted);
    trial t(redis, redis.url());
    // Each key takes 20 ms to load, and the loader answers clients between any two.
    for (int i = 0; i < 100; ++i)
        redis.command({"SET", "key:" + std::to_string(i), std::string(1'100, 'x')});
    t.send(10);
    REQUIRE(wait_for_list(redis, "singles", 10).size() == 10);
    support::process::settings reload;
    reload.arguments = {"redis-cli", "-p", std::to_string(redis.port()), "DEBUG", "RELOAD"};
    support::process loading(reload);
    t.send_until_it_has_to_wait("LOADING");
    CHECK(loading.wait(60s) == 0);
    t.send(10);
    CHECK(t.verdict() == "");
}

TEST_CASE("BUSY: a script that runs for long is waited for") {
    support::redis_server redis(with({"--busy-reply-threshold", "50"}));
    trial t(redis, redis.url());
    t.send(10);
    REQUIRE(wait_for_list(redis, "singles", 10).size() == 10);
    support::process::settings script;
    script.arguments = {"redis-cli", "-p", std::to_string(redis.port()), "EVAL", "while true do end", "0"};
    support::process busy(script);
    t.send_until_it_has_to_wait("BUSY");
    redis.command({"SCRIPT", "KILL"});
    busy.wait();
    t.send(10);
    CHECK(t.verdict() == "");
}

TEST_CASE("MISCONF: a Redis that cannot save to its disk is waited for") {
    support::redis_server redis;
    trial t(redis, redis.url());
    t.send(10);
    REQUIRE(wait_for_list(redis, "singles", 10).size() == 10);
    // A folder stands where the dump has to go.
    const auto dump = redis.command({"CONFIG", "GET", "dir"}).at(1) + "/" +
                      redis.command({"CONFIG", "GET", "dbfilename"}).at(1);
    std::filesystem::remove(dump);
    std::filesystem::create_directory(dump);
    redis.command({"CONFIG", "SET", "save", "3600 1"});
    redis.command({"BGSAVE"});
    t.send_until_it_has_to_wait("MISCONF");
    std::filesystem::remove(dump);
    redis.command({"BGSAVE"});
    t.send(10);
    CHECK(t.verdict() == "");
}

TEST_CASE("NOSCRIPT: a Redis that forgot the scripts gets them again") {
    support::redis_server redis;
    trial t(redis, redis.url());
    const auto missed = [&]() -> std::size_t {
        const auto stats = redis.command({"INFO", "errorstats"}).front();
        const std::string what = "errorstat_NOSCRIPT:count=";
        const auto at = stats.find(what);
        return at == std::string::npos ? 0 : std::stoul(stats.substr(at + what.size()));
    };
    for (std::size_t flush = 1; flush <= 3; ++flush) {
        t.send(10);
        REQUIRE(wait_for_list(redis, "singles", flush * 20 - 10).size() == flush * 20 - 10);
        const auto before = missed();
        redis.command({"SCRIPT", "FLUSH"});
        t.send(10);
        REQUIRE(wait_for_list(redis, "singles", flush * 20).size() == flush * 20);
        CHECK(missed() > before);
    }
    CHECK(t.verdict() == "");
}

TEST_CASE("NOPERM: what the user may not push is left out alone, and all goes on once he may") {
    support::redis_server redis;
    redis.command({"ACL", "SETUSER", "bridge", "on", ">secret", "+@all", "~*"});
    trial t(redis, "redis://bridge:secret@127.0.0.1:" + std::to_string(redis.port()));
    t.send(5);
    CHECK(t.verdict() == "");
    redis.command({"ACL", "SETUSER", "bridge", "resetkeys", "~others", "~postrider:*", "~context*"});
    chat refused;
    chat others;
    for (int i = 0; i < 5; ++i) {
        t.database.notify("chat", refused.next("r"));
        t.database.notify("other", others.next("o"));
    }
    CHECK(others.verdict(wait_for_list(redis, "others", 5)) == "");
    CHECK(t.bridge.answers("/stats", R"("failed":5)"));
    CHECK(t.bridge.logs("NOPERM"));
    redis.command({"ACL", "SETUSER", "bridge", "allkeys"});
    t.send(5);
    const auto list = wait_for_list(redis, "singles", 10);
    CHECK(t.talk.verdict(list) == "");
    CHECK(t.bridge.get("/health/readiness").status == 200);
}

TEST_CASE("a right that is missing behind the push itself: what is in the list is not said to be refused") {
    support::redis_server redis;
    redis.command({"ACL", "SETUSER", "bridge", "on", ">secret", "+@all", "~*"});
    trial t(redis, "redis://bridge:secret@127.0.0.1:" + std::to_string(redis.port()));
    t.send(5);
    CHECK(t.verdict() == "");
    // Where the route is cannot be written down, nor ids, nor can an open group be deleted.
    redis.command({"ACL", "SETUSER", "bridge", "-hset", "-zadd", "-unlink"});
    std::vector<std::string> burst;
    for (int i = 0; i < 100; ++i)
        burst.push_back(t.talk.next("k" + std::to_string(i % 5)));
    notify_together(t.database, "chat", burst);
    CHECK(t.verdict() == "");
    CHECK(t.bridge.answers("/stats", R"("failed":0)"));
    redis.command({"ACL", "SETUSER", "bridge", "+@all"});
    t.send(5);
    CHECK(t.verdict() == "");
}

TEST_CASE("WRONGTYPE: a group fails alone; other targets and the key's later groups go on") {
    auto& redis = shared_redis();
    redis.command({"SET", "groups", "no list"});
    trial t(redis, redis.url(), in_groups);
    chat refused;
    chat others;
    t.database.notify("chat", refused.next("k0"));
    t.database.notify("chat", refused.next("k1"));
    REQUIRE(t.bridge.answers("/stats", R"("failed":2)"));
    t.database.notify("other", others.next("o"));
    CHECK(others.verdict(wait_for_list(redis, "others", 1)) == "");
    CHECK(redis.command({"GET", "groups"}).front() == "no list");
    redis.command({"DEL", "groups"});
    t.send(10);
    CHECK(t.talk.verdict(wait_for_messages(redis, "groups", 10)) == "");
}

}  // namespace
}  // namespace postrider::test
