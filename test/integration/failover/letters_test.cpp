// What Redis refused for good, and Postgres has not taken yet, when another replica takes over.
#include <doctest/doctest.h>

#include "command.hpp"
#include "support/folder.hpp"
#include "two_replicas.hpp"

namespace postrider::test {
namespace {

constexpr const char* delayed_route = R"(
[[route]]
name = "soon"
channel = "soon"
policy = "delay"
key = "/match_id"
min_delay = "10ms"
max_delay = "20ms"
to = "delayed"
)";

struct unwritten_letters {
    // The leader has heard nothing yet.
    void begin() {
        t.database.run("DELETE FROM postrider.dead_letters");
        for (const char* list : {"singles", "groups", "delayed"})
            t.redis.command({"SET", list, "no list"});
        // Nobody writes a letter from here on.
        writer.run("BEGIN");
        writer.run("LOCK TABLE postrider.dead_letters IN SHARE MODE");
        // One event for each list, of one conversation.
        t.database.notify("chat", message);
        t.database.notify("soon", message);
        REQUIRE(support::eventually([&] { return letters_in_redis() == 3 && t.open_groups() == 0; }));
    }
    postrider_settings settings() const {
        auto s = t.settings(shared_postgres().url(), shared_redis().url());
        s.file += delayed_route;
        return s;
    }
    std::size_t letters_in_redis() { return t.redis.command({"KEYS", "postrider:letter:*"}).size(); }
    std::string rows() { return t.database.rows("SELECT count(*) FROM postrider.dead_letters").at(0).at(0); }
    command_result replay() {
        const auto s = settings();
        return run_command({"dead-letters", "replay", "--config", folder.write("routes.toml", s.file)},
                           {{"POSTGRES_URL", s.postgres_url}, {"REDIS_URL", s.redis_url}});
    }
    void check_each_once() {
        writer.run("COMMIT");
        CHECK(support::eventually([&] { return letters_in_redis() == 0; }));
        CHECK(rows() == "3");
        t.redis.command({"DEL", "singles", "groups", "delayed"});
        const auto replayed = replay();
        CHECK_MESSAGE(replayed.status == 0, replayed.output);
        for (const char* list : {"singles", "groups", "delayed"})
            CHECK(t.talk.verdict(t.redis.list(list)) == "");
    }

    two_replicas t{.heartbeat = "1m"};
    support::sql writer{shared_postgres().url()};
    support::temporary_folder folder;
    std::string message = t.talk.next("k");
};

TEST_CASE("letters that Postgres has not taken when another replica takes over are replayed once each") {
    unwritten_letters u;
    const auto first = std::make_unique<running_postrider>(u.settings());
    REQUIRE(first->becomes("leader"));
    const auto second = std::make_unique<running_postrider>(u.settings());
    INFO(first->end_of_log());
    INFO(second->end_of_log());
    REQUIRE(second->becomes("standby"));
    u.begin();
    u.t.end_session_of_leader();
    REQUIRE(second->becomes("leader"));
    REQUIRE(first->becomes("standby"));
    // Both have them now.
    for (const auto* each : {&first, &second})
        REQUIRE((*each)->answers("/stats", R"("dead_letters":{"store":"postgres","taken":3,"stored":0)"));
    u.check_each_once();
}

TEST_CASE("letters that Postgres has taken a moment before a kill are not written again by the next leader") {
    unwritten_letters u;
    const auto first = std::make_unique<running_postrider>(u.settings());
    REQUIRE(first->becomes("leader"));
    const auto second = std::make_unique<running_postrider>(u.settings());
    INFO(second->end_of_log());
    REQUIRE(second->becomes("standby"));
    u.t.database.run("DELETE FROM postrider.dead_letters");
    u.t.redis.command({"SET", "delayed", "no list"});
    const auto place = [&] {
        return u.t.redis.command({"HGET", "postrider:{delayed}:place:soon", "number"}).at(0);
    };
    REQUIRE(support::eventually([&] { return !place().empty(); }));
    const auto before = place();
    u.t.database.notify("soon", u.message);
    // Redis knows that it is done, by itself or by how far its route is.
    REQUIRE(support::eventually([&] {
        return u.t.redis.integer({"ZCARD", "postrider:{delayed}:behind:soon"}) != 0 || place() != before;
    }));
    REQUIRE(support::eventually([&] { return u.rows() == "1" && u.letters_in_redis() == 0; }));
    first->kill();
    REQUIRE(second->becomes("leader"));
    for (int i = 0; i < 5; ++i)
        u.t.database.notify("soon", u.t.talk.next("later" + std::to_string(i)));
    REQUIRE(support::eventually([&] { return std::stoi(u.rows()) >= 6 && u.letters_in_redis() == 0; }));
    CHECK(u.rows() == "6");
}

TEST_CASE("letters that Postgres has not taken outlive a kill") {
    unwritten_letters u;
    running_postrider bridge(u.settings());
    INFO(bridge.end_of_log());
    REQUIRE(bridge.becomes("leader"));
    u.begin();
    bridge.kill_and_start();
    REQUIRE(bridge.becomes("leader"));
    u.check_each_once();
}

TEST_CASE("letters that Postgres has not taken stay with a leader that only believes another has led") {
    unwritten_letters u;
    running_postrider bridge(u.settings());
    INFO(bridge.end_of_log());
    REQUIRE(bridge.becomes("leader"));
    u.begin();
    for (const char* list : {"singles", "groups", "delayed"})
        u.t.redis.command({"INCR", "postrider:{" + std::string(list) + "}:epoch"});
    u.t.end_session_of_leader();
    REQUIRE(bridge.logs("stepping down: "));
    REQUIRE(bridge.becomes("leader"));
    CHECK(bridge.answers("/stats", R"("dead_letters":{"store":"postgres","taken":3,"stored":0)"));
    u.check_each_once();
}

}  // namespace
}  // namespace postrider::test
