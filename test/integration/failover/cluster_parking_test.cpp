#include <doctest/doctest.h>

#include "chat.hpp"
#include "running_postrider.hpp"
#include "servers.hpp"
#include "support/eventually.hpp"
#include "support/redis_cluster.hpp"

namespace postrider::test {
namespace {

using support::redis_cluster;

// Two targets on two primaries; one of them gets its memory back later.
struct two_targets {
    two_targets() {
        forget_parked();
        // The first primary has the one, the second the other.
        for (int i = 0; cluster.primary_of(cluster.slot(stuck)) != 0; ++i)
            stuck = "stuck" + std::to_string(i);
        for (int i = 0; cluster.primary_of(cluster.slot(well)) != 1; ++i)
            well = "well" + std::to_string(i);
    }

    postrider_settings settings() const {
        return {
            .postgres_url = shared_postgres().url(),
            .redis_url = cluster.url(),
            .file = "[redis]\nbuffer_bytes = 65536\nbreaker_open = \"200ms\"\n" +
                    route("stuck", "immediate", stuck) +
                    route("well", "group\"\nkey = \"/match_id\"\nwindow = \"20ms\"\ncooldown = \"0s", well),
            .reconnects_quickly = true};
    }
    // Listens to a channel of its own name.
    static std::string route(const std::string& name, const std::string& policy, const std::string& list) {
        return "[[route]]\nname = \"" + name + "\"\nchannel = \"" + name + "\"\npolicy = \"" + policy +
               "\"\nto = \"" + list + "\"\n";
    }
    void set_memory(std::size_t server, const std::string& most) {
        cluster.server(server).command({"CONFIG", "SET", "maxmemory", most});
    }
    // Each message of another conversation.
    void say(chat& talk, const std::string& channel, int messages) {
        std::vector<std::string> burst;
        for (int i = 0; i < messages; ++i)
            burst.push_back(talk.next("k" + std::to_string(i)));
        notify_together(database, channel, burst);
    }
    std::string parked(const std::string& channel) {
        return database.rows("SELECT count(*) FROM postrider.parked WHERE channel = '" + channel + "'")
            .at(0)
            .at(0);
    }
    // How far a route is: up to there all is delivered or saved.
    std::string place(std::size_t server, const std::string& list, const std::string& route) {
        const std::string name = "postrider:{" + list + "}:place:" + route;
        const auto found = cluster.server(server).command({"HGET", name, "number"});
        return found.empty() ? "" : found.front();
    }

    redis_cluster cluster;
    support::sql database{shared_postgres().url()};
    std::string stuck = "stuck";
    std::string well = "well";
};

TEST_CASE("what was put aside for a target that is stuck stays there, however much another one delivers") {
    two_targets t;
    running_postrider bridge(t.settings());
    INFO(bridge.end_of_log());
    REQUIRE(bridge.becomes_ready());
    // From here on nothing of the one that gets stuck has to be saved.
    REQUIRE(support::eventually(
        [&] { return !t.place(0, t.stuck, "stuck").empty() && !t.place(1, t.well, "well").empty(); }));
    for (std::size_t n = 0; n < 3; ++n)
        t.set_memory(n, "1");
    chat for_well(1'000);
    chat for_stuck;
    t.say(for_well, "well", 200);
    // The groups wait once their window is over, and an event that comes then is put aside.
    REQUIRE(support::repeatedly([&] {
        t.say(for_well, "well", 1);
        return t.parked("well") != "0";
    }));
    t.say(for_stuck, "stuck", 20);
    REQUIRE(support::eventually([&] { return t.parked("stuck") == "20"; }, 60s));

    t.set_memory(1, "0");
    // They are all taken back into the memory, where those of the one target go on waiting.
    t.say(for_well, "well", 40);
    REQUIRE(for_well.verdict(wait_for_messages(t.cluster.server(1), t.well, for_well.total())) == "");
    for (int looks = 0; looks < 4; ++looks) {
        const auto before = t.place(1, t.well, "well");
        t.say(for_well, "well", 40);
        REQUIRE(support::eventually([&] { return t.place(1, t.well, "well") != before; }, 60s));
    }
    CHECK(t.parked("stuck") == "20");
    bridge.kill();
    for (std::size_t n = 0; n < 3; ++n)
        t.set_memory(n, "0");
    bridge.start();
    REQUIRE(bridge.becomes_ready());
    CHECK(for_stuck.verdict(wait_for_list(t.cluster.server(0), t.stuck, for_stuck.total())) == "");
    CHECK(for_well.verdict(wait_for_messages(t.cluster.server(1), t.well, for_well.total())) == "");
    CHECK(support::eventually([&] { return t.parked("stuck") == "0" && t.parked("well") == "0"; }, 60s));
}

}  // namespace
}  // namespace postrider::test
