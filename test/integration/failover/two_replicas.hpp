#pragma once

#include <doctest/doctest.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "chat.hpp"
#include "running_postrider.hpp"
#include "servers.hpp"
#include "support/eventually.hpp"
#include "talking.hpp"

namespace postrider::test {

// Two replicas of one name, and events that keep coming.
struct two_replicas {
    support::redis_server& redis = shared_redis();
    support::sql database{shared_postgres().url()};
    chat talk;
    std::chrono::steady_clock::time_point next_burst = std::chrono::steady_clock::now();

    static postrider_settings settings(const std::string& postgres_url, const std::string& redis_url) {
        return {.postgres_url = postgres_url, .redis_url = redis_url, .file = both_ways("700ms", "100ms", R"(
[postgres]
heartbeat = "2s"
heartbeat_timeout = "4s"
)")};
    }
    std::unique_ptr<running_postrider> replica(const std::string& postgres_url = shared_postgres().url()) {
        return replica(postgres_url, redis.url());
    }
    static std::unique_ptr<running_postrider> replica(const std::string& postgres_url,
                                                      const std::string& redis_url) {
        return std::make_unique<running_postrider>(settings(postgres_url, redis_url));
    }

    static constexpr std::size_t burst = 5;
    // Of as many conversations, in one transaction.
    void send_burst() {
        database.run("BEGIN");
        for (std::size_t i = 0; i < burst; ++i)
            database.notify("chat", talk.next("k" + std::to_string(talk.total() % 40)));
        database.run("COMMIT");
    }
    std::size_t open_groups() { return redis.command({"KEYS", "context*"}).size(); }
    // How many events of the session the leader has said to be done by this route.
    std::uint64_t done(const std::string& target, const std::string& route) {
        const auto place =
            redis.command({"HMGET", "postrider:{" + target + "}:place:" + route, "number", "base"});
        return std::stoull("0" + place.at(0)) - std::stoull("0" + place.at(1));
    }
    // Everything is delivered, and this leader knows it and has said so, up to a second later.
    bool comes_to_rest(running_postrider& leader) {
        wait_for_messages(redis, "groups", talk.total());
        return support::eventually([&] {
                   return open_groups() == 0 && done("singles", "single") == talk.total() &&
                          done("groups", "grouped") == talk.total();
               }) &&
               leader.answers("/stats", R"("waiting":0)");
    }

    // About 500 a second over 40 conversations.
    template <class Enough>
    bool talk_until(Enough enough, std::chrono::seconds limit = 60s) {
        return support::repeatedly(
            [&] {
                if (std::chrono::steady_clock::now() < next_burst) return enough();
                // Not so quickly that a change of some group is always on its way to Redis.
                send_burst();
                next_burst = std::chrono::steady_clock::now() + 10ms;
                return false;
            },
            limit);
    }
    bool talk_for(std::chrono::milliseconds time) {
        const auto end = std::chrono::steady_clock::now() + time;
        return talk_until([&] { return std::chrono::steady_clock::now() >= end; });
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
