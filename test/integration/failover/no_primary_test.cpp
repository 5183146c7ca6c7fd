// Redis is there, and nobody who may write: a cluster without one of its primaries, a replica without its
// own.
#include <doctest/doctest.h>

#include "chat.hpp"
#include "running_postrider.hpp"
#include "servers.hpp"
#include "support/eventually.hpp"
#include "support/ports.hpp"
#include "support/redis_cluster.hpp"

namespace postrider::test {
namespace {

using support::redis_cluster;
using support::redis_server;

// Two lists in one slot. No ping is to find out what has become of the server.
constexpr const char* routes = R"(
[redis]
ping_interval = "1h"
[[route]]
name = "single"
channel = "chat"
policy = "immediate"
to = "out"
[[route]]
name = "grouped"
channel = "chat"
policy = "group"
key = "/match_id"
window = "100ms"
cooldown = "0s"
to = "{out}groups"
)";

struct trial {
    explicit trial(const std::string& redis_url)
        : bridge({.postgres_url = shared_postgres().url(), .redis_url = redis_url, .file = routes}) {
        REQUIRE_MESSAGE(bridge.becomes_ready(), bridge.end_of_log());
    }
    // One conversation, so that all of it has one order.
    void say(int messages) {
        for (int i = 0; i < messages; ++i)
            database.notify("chat", talk.next("a"));
    }
    void waits_and_tells(const std::string& code) {
        // What is saved of the groups may find out before a push does.
        REQUIRE(bridge.logs(": " + code));
        CHECK(bridge.answers("/health/readiness", code));
        CHECK(bridge.get("/health/readiness").status == 503);
    }
    void check_everything_once(redis_server& redis) {
        CHECK(talk.verdict(wait_for_list(redis, "out", talk.total(), 90s)) == "");
        CHECK(talk.verdict(wait_for_messages(redis, "{out}groups", talk.total(), 90s)) == "");
        CHECK(bridge.answers("/stats", R"("failed":0)"));
        CHECK_MESSAGE(bridge.becomes_ready(), bridge.get("/health/readiness").body);
    }

    support::sql database{shared_postgres().url()};
    running_postrider bridge;
    chat talk;
};

// A replica's number.
std::size_t replica_of(redis_cluster& cluster, std::size_t primary) {
    const auto port = std::to_string(cluster.server(primary).port());
    for (std::size_t n = 0; n < 6; ++n)
        if (const auto role = cluster.server(n).command({"ROLE"}); role[0] == "slave" && role[2] == port)
            return n;
    throw std::runtime_error("the primary has no replica");
}

bool has_state(redis_server& server, const std::string& state) {
    const auto says_so = [&] {
        return server.command({"CLUSTER", "INFO"}).front().find("cluster_state:" + state) !=
               std::string::npos;
    };
    return support::eventually(says_so, 60s);
}

TEST_CASE("CLUSTERDOWN: a cluster without one of its primaries is waited for, and then all leaves in order") {
    redis_cluster cluster;
    trial t(cluster.url());
    INFO(t.bridge.end_of_log());
    const auto home = cluster.primary_of(cluster.slot("out"));
    const auto away = cluster.other_primary(home);
    const auto replica = replica_of(cluster, away);
    t.say(10);
    REQUIRE(wait_for_list(cluster.server(home), "out", 10).size() == 10);
    cluster.set_node_timeout(2s);
    cluster.server(replica).kill();
    cluster.server(away).kill();
    REQUIRE(has_state(cluster.server(home), "fail"));
    t.say(10);
    t.waits_and_tells("CLUSTERDOWN");
    t.say(10);
    cluster.server(away).start();
    cluster.server(replica).start();
    REQUIRE(has_state(cluster.server(home), "ok"));
    t.check_everything_once(cluster.server(home));
}

TEST_CASE("MASTERDOWN: a replica that has lost its primary is waited for, and then all leaves in order") {
    redis_server redis;
    trial t(redis.url());
    INFO(t.bridge.end_of_log());
    t.say(10);
    REQUIRE(wait_for_list(redis, "out", 10).size() == 10);
    REQUIRE(t.bridge.answers("/stats", R"("open":0)"));
    redis.command({"CONFIG", "SET", "replica-serve-stale-data", "no"});
    // A primary that is gone.
    redis.command({"REPLICAOF", "127.0.0.1", std::to_string(support::free_port())});
    t.say(10);
    t.waits_and_tells("MASTERDOWN");
    t.say(10);
    redis.command({"REPLICAOF", "NO", "ONE"});
    t.check_everything_once(redis);
}

}  // namespace
}  // namespace postrider::test
