// What Prometheus sees, and whether its own tools take it.
#include <doctest/doctest.h>

#include <fstream>
#include <regex>
#include <set>
#include <sstream>
#include <vector>

#include "running_postrider.hpp"
#include "servers.hpp"
#include "support/eventually.hpp"
#include "support/folder.hpp"

namespace postrider::test {
namespace {

const std::string source_folder = POSTRIDER_SOURCE_FOLDER;

std::string text_of(const std::string& path) {
    std::ostringstream all;
    all << std::ifstream(path).rdbuf();
    return all.str();
}

// The label names of a series as "k" and "route" in name{k="…",route="…"}; a bucket's own bound is part of
// its type.
std::set<std::string> labels_of(const std::string& series) {
    static const std::regex label(R"re(([a-zA-Z_]+)="(?:[^"\\]|\\.)*")re");
    std::set<std::string> names;
    for (std::sregex_iterator at(series.begin(), series.end(), label), end; at != end; ++at)
        if ((*at)[1] != "le") names.insert((*at)[1]);
    return names;
}

// "name type label…" of each metric, in the order of the page; series with other labels make it stand there
// again.
std::string names_in(const std::string& page) {
    const std::string mark = "# TYPE ";
    std::istringstream lines(page);
    std::string names;
    std::string family;
    for (std::string line, last; std::getline(lines, line);) {
        if (line.starts_with(mark)) family = line.substr(mark.size());
        if (line.starts_with("#")) continue;
        auto told = family;
        for (const auto& label : labels_of(line))
            told += " " + label;
        if (told != last) names += told + "\n";
        last = told;
    }
    return names;
}

struct told {
    int status;
    std::string words;
};

// promtool reads a page from its standard input.
told promtool(const std::string& arguments) {
    support::process tool({.arguments = {"sh", "-c", "promtool " + arguments}});
    const int status = tool.wait(120s);
    return {status, tool.output()};
}

constexpr const char* routes = R"(
[[route]]
name = "grouped"
channel = "metrics"
policy = "group"
key = "/k"
window = "300ms"
cooldown = "0s"
to = "groups"
[[route]]
name = "single"
channel = "metrics"
policy = "immediate"
to = "singles"
[[route]]
name = "wrong"
channel = "wrong"
policy = "immediate"
to = "not_a_list"
)";

TEST_CASE("Prometheus reads the names and labels that were promised, and what was counted") {
    auto& redis = shared_redis();
    redis.command({"SET", "not_a_list", "text"});
    support::sql database(shared_postgres().url());
    running_postrider bridge(
        {.postgres_url = shared_postgres().url(), .redis_url = redis.url(), .file = routes});
    INFO(bridge.end_of_log());
    REQUIRE(bridge.becomes_ready());
    // Every series stands there before anything has happened.
    const auto quiet = bridge.get("/metrics");
    CHECK(quiet.status == 200);
    CHECK(quiet.head.find("text/plain; version=0.0.4") != std::string::npos);
    const auto promised = text_of(source_folder + "/test/golden/metrics.txt");
    CHECK(names_in(quiet.body) == promised);
    CHECK(quiet.body.find("postrider_permanent_failures_total{reason=\"WRONGTYPE\"} 0\n") !=
          std::string::npos);

    notify_together(database, "metrics", {R"({"k":"a","n":1})", R"({"k":"a","n":2})", R"({"n":3})"});
    database.notify("wrong", "{}");
    for (const auto* line : {
             "postrider_events_total{route=\"grouped\"} 3\n",
             "postrider_groups_total{route=\"grouped\"} 1\n",
             "postrider_delivered_events_total{route=\"grouped\"} 2\n",
             "postrider_deliveries_total{route=\"single\"} 3\n",
             "postrider_rejected_total{route=\"grouped\",reason=\"no_key\"} 1\n",
             "postrider_rejected_total{route=\"grouped\",reason=\"not_json\"} 0\n",
             "postrider_permanent_failures_total{reason=\"WRONGTYPE\"} 1\n",
             "postrider_refused_deliveries_total{route=\"wrong\"} 1\n",
             "postrider_dead_letters_total 2\n",
             "postrider_dead_letters_stored_total 2\n",
             "postrider_dead_letters_dropped_total 0\n",
             "postrider_dead_letters_in_memory 0\n",
             "postrider_group_events_bucket{route=\"grouped\",le=\"1\"} 0\n",
             "postrider_group_events_bucket{route=\"grouped\",le=\"2\"} 1\n",
             "postrider_group_age_seconds_bucket{route=\"grouped\",le=\"0.1\"} 0\n",
             "postrider_group_age_seconds_count{route=\"grouped\"} 1\n",
             "postrider_delivery_latency_seconds_bucket{route=\"grouped\",le=\"0.25\"} 0\n",
             "postrider_delivery_latency_seconds_count{route=\"grouped\"} 1\n",
             "postrider_delivery_latency_seconds_count{route=\"single\"} 3\n",
             "postrider_delivery_latency_seconds_bucket{route=\"single\",le=\"300\"} 3\n",
             "postrider_server_up{server=\"redis\"} 1\n",
             "postrider_server_up{server=\"postgres\"} 1\n",
             "postrider_leader 1\n",
             "postrider_open_groups{route=\"grouped\"} 0\n",
         }) {
        CAPTURE(line);
        CHECK(bridge.answers("/metrics", line));
    }
    CHECK(support::eventually([&] {
        return bridge.get("/metrics").body.find("postrider_event_loop_lag_seconds_count 0\n") ==
               std::string::npos;
    }));

    const auto busy = bridge.get("/metrics").body;
    CHECK(names_in(busy) == promised);
    support::temporary_folder folder;
    const auto page = folder.write("page", busy);
    const auto checked = promtool("check metrics < " + page);
    CHECK_MESSAGE(checked.status == 0, checked.words);
}

TEST_CASE("an outage of Redis is seen while it lasts, without waiting for Redis") {
    support::redis_server redis;
    running_postrider bridge({.postgres_url = shared_postgres().url(), .redis_url = redis.url()});
    INFO(bridge.end_of_log());
    REQUIRE(bridge.becomes_ready());
    redis.stop();
    CHECK(bridge.answers("/metrics", "postrider_server_up{server=\"redis\"} 0\n"));
    const std::string name = "postrider_outage_seconds_total{server=\"redis\"} ";
    const auto away = [&] {
        const auto body = bridge.get("/metrics").body;
        return std::stod(body.substr(body.find(name) + name.size()));
    };
    const double before = away();
    CHECK(support::eventually([&] { return away() > before + 0.3; }));
    redis.start();
    CHECK(bridge.answers("/metrics", "postrider_reconnects_total{server=\"redis\"} 1\n"));
    CHECK(bridge.answers("/metrics", "postrider_server_up{server=\"redis\"} 1\n"));
    const double after = away();
    CHECK(after > before + 0.3);
    CHECK(away() == after);
}

TEST_CASE("event streams and the other HTTP connections are counted apart, as long as they are open") {
    running_postrider bridge({.postgres_url = shared_postgres().url(), .redis_url = shared_redis().url()});
    INFO(bridge.end_of_log());
    REQUIRE(bridge.becomes_ready());
    const auto open = [&](std::size_t number, std::string_view request) {
        std::vector<raw_connection> all;
        for (std::size_t i = 0; i < number; ++i)
            all.emplace_back(bridge.port(), request);
        return all;
    };
    {
        const auto looking = open(2, "GET /events HTTP/1.1\r\nHost: test\r\n\r\n");
        CHECK(bridge.answers("/metrics", "\npostrider_http_streams 2\n"));
        // They have 10 s to end their requests, so each look brings its own; and the look itself is one.
        CHECK(support::eventually([&] {
            const auto slow = open(3, "GET /health HTTP/1.1\r\n");
            return bridge.get("/metrics").body.find("\npostrider_http_connections 4\n") != std::string::npos;
        }));
    }
    CHECK(bridge.answers("/metrics", "\npostrider_http_streams 0\n"));
    CHECK(bridge.answers("/metrics", "\npostrider_http_connections 1\n"));
}

TEST_CASE("promtool takes the alerts, and they wake up for the right things only") {
    const auto rules = promtool("check rules " + source_folder + "/deploy/prometheus/alerts.yml");
    CHECK_MESSAGE(rules.status == 0, rules.words);
    const auto tested = promtool("test rules " + source_folder + "/deploy/prometheus/alerts_test.yml");
    CHECK_MESSAGE(tested.status == 0, tested.words);
}

TEST_CASE("promtool takes the configuration for Prometheus, and finds the alerts beside it") {
    const auto checked = promtool("check config " + source_folder + "/deploy/prometheus/prometheus.yml");
    CHECK_MESSAGE(checked.status == 0, checked.words);
    CHECK(checked.words.find("1 rule files found") != std::string::npos);
}

TEST_CASE("an alert asks for metrics that are there") {
    const auto alerts = text_of(source_folder + "/deploy/prometheus/alerts.yml");
    const auto golden = text_of(source_folder + "/test/golden/metrics.txt");
    std::size_t found = 0;
    for (auto at = alerts.find("postrider_"); at != std::string::npos;
         at = alerts.find("postrider_", at + 1)) {
        const auto end = alerts.find_first_not_of("abcdefghijklmnopqrstuvwxyz_", at);
        auto name = alerts.substr(at, end - at);
        if (name.ends_with("_bucket")) name.resize(name.size() - std::string("_bucket").size());
        CAPTURE(name);
        CHECK(("\n" + golden).find("\n" + name + " ") != std::string::npos);
        ++found;
    }
    CHECK(found >= 6);
}

}  // namespace
}  // namespace postrider::test
