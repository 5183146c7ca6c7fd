#pragma once

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "chat.hpp"
#include "command.hpp"
#include "running_postrider.hpp"
#include "servers.hpp"
#include "support/eventually.hpp"
#include "talking.hpp"

namespace postrider::test {

// Redis goes away while many events come: more than may wait in memory.
struct long_outage {
    chat talk;
    support::redis_server redis = {};
    support::sql database = emptied();

    static support::sql emptied() {
        forget_parked();
        return support::sql(shared_postgres().url());
    }

    // Of which events of the two routes, about 100 bytes each, no more than 2,000 can wait in memory; of
    // longer ones, fewer are enough to see it.
    postrider_settings settings(const std::string& buffer_bytes = "262144") {
        return {.postgres_url = shared_postgres().url(),
                .redis_url = redis.url(),
                .file = both_ways("300ms", "0s", R"(
[redis]
buffer_bytes = )" + buffer_bytes + "\n"),
                .reconnects_quickly = true};
    }
    void say(int events) {
        for (int sent = 0; sent < events;) {
            std::vector<std::string> burst;
            for (int i = 0; i < 250; ++i, ++sent)
                burst.push_back(talk.next("k" + std::to_string(talk.total() % 100)));
            notify_together(database, "chat", burst);
        }
    }
    // Who may only use what an owner has made.
    std::string as_plain_user() {
        database.run(
            "DROP SCHEMA IF EXISTS postrider CASCADE; DROP ROLE IF EXISTS plain; CREATE ROLE plain LOGIN");
        const auto made = run_command(
            {"schema", "--apply", "--grant-to", "plain", "--postgres-url", shared_postgres().url()});
        REQUIRE(made.status == 0);
        return "postgresql://plain@127.0.0.1:" + std::to_string(shared_postgres().port()) + "/postgres";
    }
    // Where events cannot be put aside: there is no table, and this user may make none.
    postrider_settings without_table() {
        auto wanted = settings();
        wanted.postgres_url = as_plain_user();
        database.run("DROP SCHEMA postrider CASCADE");
        return wanted;
    }
    std::size_t parked() {
        // The program makes the table some time after it is ready.
        if (database.rows("SELECT to_regclass('postrider.parked') IS NULL").at(0).at(0) == "t") return 0;
        const auto rows = database.rows("SELECT count(*) FROM postrider.parked");
        return static_cast<std::size_t>(std::stoul(rows.at(0).at(0)));
    }
    bool is_parked_at_least(std::size_t events) {
        return support::eventually([&] { return parked() >= events; }, 60s);
    }
    // Of 8 KiB, with notifications that some listener has not yet taken.
    double queued_pages() {
        const auto rows = database.rows("SELECT pg_notification_queue_usage() * 1048576");
        return std::stod(rows.at(0).at(0));
    }
    // The last one of a key, and with it everything before.
    bool is_parked(const std::string& id) {
        return support::eventually(
            [&] {
                const auto rows = database.rows("SELECT count(*) FROM postrider.parked WHERE position('\"" +
                                                id + "\"' in payload) > 0");
                return rows.at(0).at(0) != "0";
            },
            60s);
    }
    void check_everything_once() {
        const auto singles = wait_for_list(redis, "singles", talk.total(), 90s);
        const auto groups = wait_for_messages(redis, "groups", talk.total(), 90s);
        CHECK(talk.verdict(singles) == "");
        CHECK(talk.verdict(groups) == "");
        CHECK(support::eventually([&] { return parked() == 0; }));
    }
};

}  // namespace postrider::test
