#include <doctest/doctest.h>

#include "chat.hpp"
#include "running_postrider.hpp"
#include "servers.hpp"
#include "support/eventually.hpp"
#include "support/ports.hpp"
#include "support/redis_cluster.hpp"
#include "talking.hpp"

namespace postrider::test {
namespace {

using support::redis_cluster;
using support::redis_server;

// Of the cases that leave its servers alone; emptied by every call.
redis_cluster& shared_cluster() {
    static redis_cluster cluster;
    for (std::size_t n = 0; n < 3; ++n)
        cluster.server(n).command({"FLUSHALL"});
    return cluster;
}

// A list's name whose slot the primary number `n` has.
std::string queue_on(redis_cluster& cluster, std::size_t n, const std::string& beginning) {
    for (int i = 0;; ++i) {
        const std::string name = beginning + std::to_string(i);
        if (cluster.primary_of(cluster.slot(name)) == n) return name;
    }
}

struct queues {
    explicit queues(redis_cluster& cluster)
        : singles{queue_on(cluster, 0, "single"), queue_on(cluster, 1, "single"),
                  queue_on(cluster, 2, "single")},
          groups(queue_on(cluster, 0, "groups")) {}

    // The same events go to a list on each primary one by one, and to a fourth in groups.
    std::string routes() const {
        std::string text = R"(
[[route]]
name = "grouped"
channel = "chat"
policy = "group"
key = "/match_id"
window = "150ms"
cooldown = "100ms"
to = ")" + groups + "\"\n";
        for (const std::string& each : singles)
            text += "[[route]]\nname = \"" + each +
                    "\"\nchannel = \"chat\"\npolicy = \"immediate\"\nto = \"" + each + "\"\n";
        return text;
    }

    void check(redis_cluster& cluster, const chat& talk) const {
        for (const std::string& each : singles)
            CHECK(talk.verdict(wait_for_list(cluster.holder(each), each, talk.total())) == "");
        CHECK(talk.verdict(wait_for_messages(cluster.holder(groups), groups, talk.total())) == "");
    }

    std::vector<std::string> singles;
    std::string groups;
};

bool all_pushed(const running_postrider& bridge) {
    return bridge.answers("/stats", R"("waiting":0)");
}

TEST_CASE(
    "a cluster's primary is killed under load: nothing is lost, nothing comes twice, on any of its queues") {
    redis_cluster cluster;
    const queues to(cluster);
    support::sql database(shared_postgres().url());
    running_postrider bridge({.postgres_url = shared_postgres().url(),
                              .redis_url = cluster.url(),
                              .file = "[redis]\ncommand_timeout = \"2s\"\nwait_replicas = 1\n"
                                      "wait_timeout = \"500ms\"\n" +
                                      to.routes()});
    INFO(bridge.end_of_log());
    REQUIRE(bridge.becomes_ready());
    CHECK(bridge.get("/redis/stats").body.find(R"("mode":"cluster","server":"127.0.0.1:)") !=
          std::string::npos);

    chat talk;
    keep_talking(database, talk, 50);
    std::vector<std::string> burst;
    for (int i = 0; i < 60; ++i)
        burst.push_back(next_message(talk));
    notify_together(database, "chat", burst);
    // One list of single messages and the list of groups lose their primary.
    const auto old = cluster.primary_of(cluster.slot(to.groups));
    cluster.set_node_timeout(2s);
    cluster.server(old).kill();
    const auto words = " went from 127.0.0.1:" + std::to_string(cluster.server(old).port()) + " to ";
    keep_talking(database, talk, [&] { return bridge.log().find(words) != std::string::npos; });
    // It comes back as the replica that WAIT asks for.
    cluster.server(old).start();
    keep_talking(database, talk, 20);
    REQUIRE(all_pushed(bridge));
    to.check(cluster, talk);
    CHECK_MESSAGE(bridge.becomes_ready(), bridge.get("/health/readiness").body);
}

// How often a server has given this error.
std::size_t errors(redis_server& server, const std::string& code) {
    const std::string stats = server.command({"INFO", "errorstats"}).front();
    const std::string mark = "errorstat_" + code + ":count=";
    const auto at = stats.find(mark);
    return at == std::string::npos ? 0 : std::stoul(stats.substr(at + mark.size()));
}

TEST_CASE("a queue's slot moves to another node and back under load: none lost, none twice, all in order") {
    auto& cluster = shared_cluster();
    const queues to(cluster);
    support::sql database(shared_postgres().url());
    running_postrider bridge(
        {.postgres_url = shared_postgres().url(), .redis_url = cluster.url(), .file = to.routes()});
    INFO(bridge.end_of_log());
    REQUIRE(bridge.becomes_ready());

    chat talk;
    keep_talking(database, talk, 20);
    for (const std::string& queue : {to.singles[1], to.groups}) {
        const auto slot = cluster.slot(queue);
        const auto home = cluster.primary_of(slot);
        const auto away = cluster.other_primary(home);
        for (const auto& [a, b] : {std::pair(home, away), std::pair(away, home)}) {
            auto& from = cluster.server(a);
            auto& next = cluster.server(b);
            const auto again = errors(from, "TRYAGAIN") + errors(next, "TRYAGAIN");
            const auto ask = errors(from, "ASK");
            const auto moved = errors(from, "MOVED");
            cluster.begin_move(slot, a, b);
            // With some of its keys here and some there, a push must wait.
            cluster.move_keys(slot, a, b, 1);
            keep_talking(database, talk,
                         [&] { return errors(from, "TRYAGAIN") + errors(next, "TRYAGAIN") > again; });
            // With all of them there, it is sent there for this once.
            while (cluster.move_keys(slot, a, b, 100) != 0) {
            }
            keep_talking(database, talk, [&] { return errors(from, "ASK") > ask; });
            cluster.end_move(slot, a, b);
            keep_talking(database, talk, [&] { return errors(from, "MOVED") > moved; });
        }
    }
    keep_talking(database, talk, 20);
    REQUIRE(all_pushed(bridge));
    to.check(cluster, talk);
    CHECK(bridge.log().find("for good") == std::string::npos);
}

TEST_CASE("killed with open groups in a cluster: the next process adopts them, none lost, none twice") {
    auto& cluster = shared_cluster();
    support::sql database(shared_postgres().url());
    running_postrider bridge({.postgres_url = shared_postgres().url(),
                              .redis_url = cluster.url(),
                              .environment = {{"GROUPING_DELAY", "12s"}, {"PUSH_COOLDOWN", "0"}}});
    INFO(bridge.end_of_log());
    REQUIRE(bridge.becomes_ready());
    auto& redis = cluster.holder("bot_messages");

    chat talk;
    const std::vector<std::string> messages{talk.next("a"), talk.next("a"), talk.next("a")};
    notify_together(database, "bot_events", {messages[0], messages[1]});
    REQUIRE(support::eventually([&] {
        const auto text = redis.command({"GET", "context:{bot_messages}:a"});
        return !text.empty() && text.front().find("\"a-2\"") != std::string::npos;
    }));
    bridge.kill_and_start();
    REQUIRE(bridge.becomes_ready());
    database.notify("bot_events", messages[2]);
    CHECK(wait_for_list(redis, "bot_messages", 1) == std::vector<std::string>{expected_group("a", messages)});
    CHECK(redis.integer({"EXISTS", "context:{bot_messages}:a"}) == 0);
}

TEST_CASE("check tries a cluster, and tells sentinels that do not answer") {
    auto& cluster = shared_cluster();
    running_postrider well({.postgres_url = shared_postgres().url(), .redis_url = cluster.url()}, "check");
    CHECK_MESSAGE(well.ends() == 0, well.log());
    CHECK(well.log().find("ok    redis: " + cluster.url() + " answers within ") != std::string::npos);

    const auto nothing = std::to_string(support::free_port());
    running_postrider badly({.postgres_url = shared_postgres().url(),
                             .redis_url = "redis+sentinel://:hunter2@127.0.0.1:" + nothing + "/mymaster/0"},
                            "check");
    CHECK(badly.ends() == 1);
    CHECK_MESSAGE(badly.log().find("FAIL  redis: redis+sentinel://127.0.0.1:" + nothing +
                                   "/mymaster/0: no sentinel answers, of 1 in REDIS_URL; 127.0.0.1:" +
                                   nothing + ": cannot connect to ") != std::string::npos,
                  badly.log());
    CHECK(badly.log().find("hunter2") == std::string::npos);
}

}  // namespace
}  // namespace postrider::test
