// The figures of /metrics against what really happened.
#include <doctest/doctest.h>

#include <csignal>
#include <thread>

#include "running_postrider.hpp"
#include "servers.hpp"
#include "support/eventually.hpp"
#include "support/tcp_gate.hpp"

namespace postrider::test {
namespace {

constexpr const char* routes = R"(
[postgres]
heartbeat = "500ms"
heartbeat_timeout = "60s"
[redis]
command_timeout = "60s"
ping_interval = "500ms"
[[route]]
name = "held"
channel = "held"
policy = "group"
key = "/k"
window = "1h"
to = "groups"
[[route]]
name = "grouped"
channel = "grouped"
policy = "group"
key = "/k"
window = "1s"
cooldown = "0s"
to = "groups"
[[route]]
name = "single"
channel = "single"
policy = "immediate"
to = "singles"
[[route]]
name = "later"
channel = "later"
policy = "delay"
key = "/k"
min_delay = "1h"
max_delay = "1h"
probability = 1
cancel_on = "answer"
cancel_key = "/k"
to = "groups"
[[route]]
name = "never"
channel = "later"
policy = "delay"
key = "/k"
min_delay = "1h"
max_delay = "1h"
probability = 0
to = "groups"
)";

// The bridge behind a gate to each server.
struct watched {
    watched()
        : to_postgres(shared_postgres().port()),
          to_redis(redis.port()),
          database(shared_postgres().url()),
          bridge({.postgres_url = postgres_at(to_postgres.port()),
                  .redis_url = redis_at(to_redis.port()),
                  .file = routes}) {
        REQUIRE_MESSAGE(bridge.becomes_ready(), bridge.end_of_log());
    }
    // The value of a series, written as on the page; -1: it is not there.
    double value(const std::string& series) const { return value(bridge.get("/metrics").body, series); }
    static double value(const std::string& page, const std::string& series) {
        const auto at = page.find("\n" + series + " ");
        return at == std::string::npos ? -1 : std::stod(page.substr(at + series.size() + 2));
    }
    bool becomes(const std::string& series, double wanted) const {
        return support::eventually([&] { return value(series) == wanted; });
    }
    bool exceeds(const std::string& series, double bound) const {
        return support::eventually([&] { return value(series) > bound; });
    }
    std::size_t listed(const std::string& name) {
        return static_cast<std::size_t>(redis.integer({"LLEN", name}));
    }

    support::redis_server redis;
    support::tcp_gate to_postgres, to_redis;
    support::sql database;
    running_postrider bridge;
};

TEST_CASE("what is open, cancelled and skipped is counted by route") {
    watched w;
    INFO(w.bridge.end_of_log());
    for (const auto* payload : {R"({"k":"a"})", R"({"k":"b"})", R"({"k":"a"})", R"({"k":"c"})"})
        w.database.notify("held", payload);
    w.database.notify("later", R"({"k":"x"})");
    w.database.notify("later", R"({"k":"y"})");
    w.database.notify("answer", R"({"k":"x"})");
    CHECK(w.becomes("postrider_cancelled_total{route=\"later\"}", 1));
    CHECK(w.becomes("postrider_open_groups{route=\"held\"}", 3));
    CHECK(w.becomes("postrider_open_groups{route=\"later\"}", 1));
    CHECK(w.becomes("postrider_events_total{route=\"held\"}", 4));
    CHECK(w.becomes("postrider_skipped_total{route=\"never\"}", 2));
    CHECK(w.value("postrider_skipped_total{route=\"later\"}") == 0);
    CHECK(w.value("postrider_cancelled_total{route=\"never\"}") == 0);
    CHECK(w.value("postrider_duplicates_total{route=\"held\"}") == 0);
    CHECK(w.value("postrider_build_info{version=\"0.1.0\"}") == 1);
}

TEST_CASE("a slow way to Redis is seen in its own latency, and the window's wait is told apart from it") {
    watched w;
    INFO(w.bridge.end_of_log());
    w.to_redis.delay(150ms);  // each way
    w.database.notify("single", "{}");
    w.database.notify("grouped", R"({"k":"a"})");
    REQUIRE(w.becomes("postrider_deliveries_total{route=\"grouped\"}", 1));
    REQUIRE(w.becomes("postrider_deliveries_total{route=\"single\"}", 1));
    const auto page = w.bridge.get("/metrics").body;
    INFO(page);
    const auto value = [&](const std::string& series) { return watched::value(page, series); };
    // Round trips of 300 ms at least: two for the pushes.
    const auto trips = value("postrider_redis_latency_seconds_count");
    CHECK(trips - value("postrider_redis_latency_seconds_bucket{le=\"0.25\"}") >= 2);
    CHECK(value("postrider_redis_latency_seconds_sum") >= 0.6);
    CHECK(value("postrider_push_latency_seconds_bucket{route=\"single\",le=\"0.25\"}") == 0);
    CHECK(value("postrider_push_latency_seconds_count{route=\"single\"}") == 1);
    CHECK(value("postrider_delivery_latency_seconds_sum{route=\"single\"}") >= 0.3);
    // Of the group: a second of its own window, and then the same way.
    const auto age = value("postrider_group_age_seconds_sum{route=\"grouped\"}");
    const auto push = value("postrider_push_latency_seconds_sum{route=\"grouped\"}");
    const auto all = value("postrider_delivery_latency_seconds_sum{route=\"grouped\"}");
    CHECK(age >= 1);
    CHECK(push >= 0.3);
    CHECK(all == doctest::Approx(age + push).epsilon(0.001));
    CHECK(w.exceeds("postrider_ping_seconds{server=\"redis\"}", 0.29));
}

TEST_CASE("a scrape waits on no server: both hang, and the page tells what waits") {
    watched w;
    INFO(w.bridge.end_of_log());
    REQUIRE(w.value("postrider_waiting_deliveries") == 0);
    w.redis.pause();
    for (int i = 0; i < 5; ++i)
        w.database.notify("single", R"({"n":12345})");
    CHECK(w.becomes("postrider_waiting_deliveries", 5));
    w.to_postgres.stall();
    // Whoever asked one of them now would wait for a minute; a request here waits for ten seconds at most.
    for (int i = 0; i < 3; ++i) {
        const auto page = w.bridge.get("/metrics");
        CHECK(page.status == 200);
        CHECK(watched::value(page.body, "postrider_waiting_deliveries") == 5);
        CHECK(watched::value(page.body, "postrider_waiting_bytes") == 5 * 11);
    }
    w.to_postgres.pass();
    w.redis.resume();
    CHECK(w.becomes("postrider_waiting_deliveries", 0));
    CHECK(w.becomes("postrider_waiting_bytes", 0));
    CHECK(w.listed("singles") == 5);
}

TEST_CASE("outages, reconnects and retries are told by server") {
    watched w;
    INFO(w.bridge.end_of_log());
    w.to_postgres.refuse();
    CHECK(w.becomes("postrider_server_up{server=\"postgres\"}", 0));
    CHECK(w.exceeds("postrider_outage_seconds_total{server=\"postgres\"}", 0.2));
    CHECK(w.value("postrider_server_up{server=\"redis\"}") == 1);
    w.to_postgres.pass();
    CHECK(w.becomes("postrider_reconnects_total{server=\"postgres\"}", 1));
    CHECK(w.becomes("postrider_server_up{server=\"postgres\"}", 1));
    CHECK(w.exceeds("postrider_ping_seconds{server=\"postgres\"}", 0));
    CHECK(w.value("postrider_reconnects_total{server=\"redis\"}") == 0);
    CHECK(w.value("postrider_outage_seconds_total{server=\"redis\"}") < 5);
    CHECK(w.value("postrider_redis_retries_total") == 0);
    // The push whose answer is cut off is sent again; the one before it says that nothing else is on its way.
    w.database.notify("single", "{}");
    REQUIRE(w.becomes("postrider_deliveries_total{route=\"single\"}", 1));
    w.to_redis.stall(support::tcp_gate::direction::to_client);
    w.database.notify("single", "{}");
    REQUIRE(support::eventually([&] { return w.listed("singles") == 2; }));
    w.to_redis.cut();
    w.to_redis.pass();
    CHECK(w.becomes("postrider_deliveries_total{route=\"single\"}", 2));
    CHECK(w.becomes("postrider_reconnects_total{server=\"redis\"}", 1));
    CHECK(w.exceeds("postrider_redis_retries_total", 0));
    CHECK(w.listed("singles") == 2);
}

TEST_CASE("a push that Redis cannot take now is counted as tried again") {
    watched w;
    INFO(w.bridge.end_of_log());
    w.redis.command({"CONFIG", "SET", "maxmemory", "1"});
    w.database.notify("single", "{}");
    CHECK(w.exceeds("postrider_redis_retries_total", 0));
    w.redis.command({"CONFIG", "SET", "maxmemory", "0"});
    CHECK(w.becomes("postrider_deliveries_total{route=\"single\"}", 1));
    CHECK(w.value("postrider_reconnects_total{server=\"redis\"}") == 0);
}

TEST_CASE("a listener that does not read fills Postgres' queue, and the usage is told") {
    watched w;
    INFO(w.bridge.end_of_log());
    const std::string series = "postrider_pg_notification_queue_usage_ratio";
    support::sql idle(shared_postgres().url());
    idle.run("LISTEN nothing");
    idle.run("BEGIN; SELECT 1");
    w.database.run("SELECT pg_notify('elsewhere', i || repeat('x', 7000)) FROM generate_series(1, 500) i");
    const auto usage = std::stod(w.database.rows("SELECT pg_notification_queue_usage()").at(0).at(0));
    REQUIRE(usage > 0);
    CHECK(support::eventually([&] { return w.value(series) == doctest::Approx(usage).epsilon(0.1); }));
    idle.run("COMMIT");
    CHECK(support::eventually([&] { return w.value(series) < usage / 2; }));
}

TEST_CASE("a process that does not get to its work shows it as event-loop lag") {
    watched w;
    INFO(w.bridge.end_of_log());
    const auto late = [&] {
        const auto page = w.bridge.get("/metrics").body;
        return watched::value(page, "postrider_event_loop_lag_seconds_count") -
               watched::value(page, "postrider_event_loop_lag_seconds_bucket{le=\"0.5\"}");
    };
    const auto before = late();
    w.bridge.signal(SIGSTOP);
    std::this_thread::sleep_for(1500ms);  // the lag itself
    w.bridge.signal(SIGCONT);
    CHECK(support::eventually([&] { return late() > before; }));
}

TEST_CASE("who leads is told, and changes with the leader") {
    watched first;
    running_postrider second(
        {.postgres_url = shared_postgres().url(), .redis_url = first.redis.url(), .file = routes});
    INFO(second.end_of_log());
    REQUIRE(second.becomes_ready());
    CHECK(first.value("postrider_leader") == 1);
    CHECK(second.answers("/metrics", "\npostrider_leader 0\n"));
    first.bridge.kill();
    CHECK(second.answers("/metrics", "\npostrider_leader 1\n"));
    CHECK(second.logs("WARNING leading"));
    CHECK(second.log().find("WARNING standing by: another process leads") != std::string::npos);
}

TEST_CASE("what is parked in Postgres is counted until it is back") {
    support::redis_server redis;
    support::sql database(shared_postgres().url());
    running_postrider small({.postgres_url = shared_postgres().url(),
                             .redis_url = redis.url(),
                             .file = routes,
                             .environment = {{"REDIS_BUFFER_BYTES", "65536"}}});
    INFO(small.end_of_log());
    REQUIRE(small.becomes_ready());
    redis.stop();
    std::vector<std::string> events;
    for (int i = 0; i < 400; ++i)
        events.push_back(R"({"n":)" + std::to_string(i) + R"(,"text":")" + std::string(500, 'x') + R"("})");
    notify_together(database, "single", events);
    const auto in_table = [&] {
        return std::stoul(database.rows("SELECT count(*) FROM postrider.parked").at(0).at(0));
    };
    const auto told = [&](const std::string& name) {
        return static_cast<std::size_t>(watched::value(small.get("/metrics").body, name));
    };
    const auto parked = [&] { return told("postrider_parked_events"); };
    CHECK(support::eventually([&] { return told("postrider_waiting_deliveries") + in_table() == 400; }));
    CHECK(in_table() > 100);
    CHECK(support::eventually([&] { return parked() == in_table(); }));
    redis.start();
    CHECK(wait_for_list(redis, "singles", 400).size() == 400);
    CHECK(support::eventually([&] { return parked() == 0; }));
    // What Redis has is deleted a little later; a bridge of the next test would begin with it.
    CHECK(support::eventually([&] { return in_table() == 0; }));
}

}  // namespace
}  // namespace postrider::test
