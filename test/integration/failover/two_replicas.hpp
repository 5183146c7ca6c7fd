#pragma once

#include <doctest/doctest.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "chat.hpp"
#include "running_postrider.hpp"
#include "servers.hpp"
#include "support/eventually.hpp"
#include "talking.hpp"

namespace postrider::test {

// Two replicas of one name, and events that keep coming: at least `rate` a second of the time that is talked.
struct two_replicas {
    using clock = std::chrono::steady_clock;

    support::redis_server& redis = shared_redis();
    support::sql database{shared_postgres().url()};
    // Postgres ends the session of who is silent for this and 4 s: long where that is not what is tested.
    std::string heartbeat = "2s";
    chat talk = {};
    clock::duration talked{};  // without the test's own pauses, so that nothing has to be made up for them
    std::size_t said = 0;      // meanwhile

    postrider_settings settings(const std::string& postgres_url, const std::string& redis_url,
                                const std::string& window = "700ms") const {
        return {
            .postgres_url = postgres_url,
            .redis_url = redis_url,
            .file = both_ways(window, "100ms",
                              "[postgres]\nheartbeat_timeout = \"4s\"\nheartbeat = \"" + heartbeat + "\"\n")};
    }
    std::unique_ptr<running_postrider> replica(const std::string& postgres_url = shared_postgres().url()) {
        return replica(postgres_url, redis.url());
    }
    std::unique_ptr<running_postrider> replica(const std::string& postgres_url,
                                               const std::string& redis_url) const {
        return std::make_unique<running_postrider>(settings(postgres_url, redis_url));
    }

    static constexpr std::size_t rate = 500;
    // Every 10 ms: more often, and a change of some group would always be on its way to Redis.
    static constexpr std::size_t burst = 5;
    // Of as many conversations, in one transaction.
    void send_burst() {
        std::vector<std::string> together;
        for (std::size_t i = 0; i < burst; ++i)
            together.push_back(talk.next("k" + std::to_string(talk.total() % 40)));
        notify_together(database, "chat", together);
    }
    double said_a_second() const {
        return static_cast<double>(said) / std::chrono::duration<double>(talked).count();
    }
    std::size_t open_groups() { return redis.command({"KEYS", "context*"}).size(); }
    // How many events of this session, the only one so far, the leader has said to be done by this route.
    std::uint64_t done(const std::string& target, const std::string& route) {
        const auto place =
            redis.command({"HMGET", "postrider:{" + target + "}:place:" + route, "number", "base"});
        return std::stoull("0" + place.at(0)) - std::stoull("0" + place.at(1));
    }
    // The leader has said, up to a second later, that everything is delivered, or saved while its group is
    // open.
    bool all_is_done() {
        return done("singles", "single") == talk.total() && done("groups", "grouped") == talk.total();
    }
    // Everything is delivered, and this leader knows it and has said so.
    bool comes_to_rest(running_postrider& leader) {
        wait_for_messages(redis, "groups", talk.total());
        return support::eventually([&] { return open_groups() == 0 && all_is_done(); }) &&
               leader.answers("/stats", R"("waiting":0)");
    }

    // Over 40 conversations, until `enough` and all is said by then: what a slow machine is behind with goes
    // out burst upon burst.
    template <class Enough>
    bool talk_until(Enough enough, std::chrono::seconds limit = 60s) {
        auto counted = clock::now();
        const auto end = counted + limit;
        const auto catches_up = [&] {
            for (;;) {
                const auto now = clock::now();
                talked += now - std::exchange(counted, now);
                if (said_a_second() >= rate) return true;
                if (now >= end) return false;
                send_burst();
                said += burst;
            }
        };
        return support::repeatedly([&] { return catches_up() && enough() && catches_up(); }, limit);
    }
    bool talk_for(std::chrono::milliseconds time) {
        const auto end = clock::now() + time;
        return talk_until([&] { return clock::now() >= end; });
    }
    // The standby has asked for the lock twice since: the second time behind the answer to the first, in
    // front of which stands all that was said before.
    bool is_heard_by_standby() {
        std::string since = database.rows("SELECT clock_timestamp()").at(0).at(0);
        const auto asks_again = [&] {
            return support::eventually([&] {
                const auto latest = database
                                        .rows(
                                            "SELECT max(query_start) FROM pg_stat_activity WHERE query LIKE "
                                            "'%pg_try_advisory_lock%' "
                                            "AND pid <> pg_backend_pid() AND query_start > $1::timestamptz",
                                            {since})
                                        .at(0)
                                        .at(0);
                if (!latest.empty()) since = latest;
                return !latest.empty();
            });
        };
        return asks_again() && asks_again();
    }
    void end_session_of_leader() {
        database.run(
            "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND mode = "
            "'ExclusiveLock' AND granted");
    }
    void check_everything_once() {
        const auto singles = wait_for_list(redis, "singles", talk.total());
        const auto groups = wait_for_messages(redis, "groups", talk.total());
        CHECK(talk.verdict(singles) == "");
        CHECK(talk.verdict(groups) == "");
        CHECK(open_groups() == 0);
    }
};

}  // namespace postrider::test
