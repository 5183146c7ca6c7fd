// What the dashboard says while something is away, refuses, or leads elsewhere.
#include <doctest/doctest.h>

#include "servers.hpp"
#include "support/eventually.hpp"
#include "watched.hpp"

namespace postrider::test {
namespace {

using support::eventually;

std::size_t rows_parked(support::sql& database) {
    return std::stoul(database.rows("SELECT count(*) FROM postrider.parked").at(0).at(0));
}

// One event with a key of its own, of about 6 KB.
std::string large_event(int number) {
    return R"({"k":")" + std::to_string(number) + R"(","text":")" + std::string(6'000, 'x') + R"("})";
}

// Sends one after the other until one has to be put aside; the number sent.
int fill_memory(watched& w) {
    bool full = false;
    int sent = 0;
    while (!full && sent < 100) {
        w.database.notify("chat", large_event(++sent));
        const auto taken = R"("events":)" + std::to_string(sent) + ",";
        REQUIRE(eventually([&] {
            const auto stats = w.bridge.get("/stats").body;
            full = stats.find(R"("parking":true)") != std::string::npos;
            return full || stats.find(taken) != std::string::npos;
        }));
    }
    REQUIRE(full);
    return sent;
}

TEST_CASE("the light of Postgres turns when it goes, the page says so, and turns back when it is there") {
    if (!browser_is_there()) return;
    watched w;
    INFO(w.bridge.end_of_log());
    w.to_postgres.refuse();
    CHECK(w.is("database", "bad"));
    CHECK(browser().text("#database .state") == "Away");
    CHECK(browser().text("#database .detail") != "");
    CHECK(browser().shows("#database .latest", "–,"));
    CHECK(w.says("Postgres is away since "));
    CHECK(w.is("headline", "bad"));
    CHECK(browser().shows("#headline-detail", "Postrider listens again as soon as it answers."));
    CHECK(w.is("listener", "bad"));
    CHECK(browser().text("#listener .state") == "Not taking events");
    CHECK(browser().text("#role") == "Role unknown");
    CHECK(w.is("redis", "ok"));
    w.to_postgres.pass();
    CHECK(w.is("database", "ok"));
    CHECK(browser().text("#database .state") == "Connected");
    CHECK(w.says("Delivering"));
    CHECK(w.is("headline", "ok"));
    CHECK(w.is("listener", "ok"));
    CHECK(browser().text("#role") == "Leader");
    w.database.notify("chat", R"({"k":"a"})");
    CHECK(browser().shows("#delivered", "1"));
}

TEST_CASE("an open circuit breaker is shown with its reason, and as closed when Redis takes events again") {
    if (!browser_is_there()) return;
    // Longer than the test, so that what is seen is seen in the one state.
    watched w(watched::variables{{"REDIS_BREAKER_FAILURES", "2"}, {"REDIS_BREAKER_OPEN", "10m"}});
    INFO(w.bridge.end_of_log());
    CHECK(browser().text("#breaker") == "Closed: everything is sent");
    CHECK(w.is("breaker", "ok"));
    w.redis.command({"CONFIG", "SET", "maxmemory", "1"});
    w.database.notify("chat", R"({"k":"a"})");
    CHECK(w.says("Redis refuses since "));
    CHECK(w.is("headline", "bad"));
    CHECK(browser().shows("#headline-detail", "1 delivery waits, nothing is lost."));
    CHECK(browser().shows("#breaker", "Open: nothing is sent, since "));
    CHECK(w.is("breaker", "bad"));
    CHECK(browser().shows("#breaker-reason", "groups: OOM "));
    CHECK(w.is("redis", "warn"));
    CHECK(browser().text("#redis .state") == "Connected");
    CHECK(browser().shows("#redis .detail", "the circuit breaker is open since "));
    // A connection that stands anew is a reason to try; the new server has its memory back.
    w.redis.stop();
    w.redis.start();
    CHECK(browser().shows("#breaker", "Closed: everything is sent"));
    CHECK(w.is("breaker", "ok"));
    CHECK(browser().shows("#delivered", "1"));
    CHECK(browser().text("#breaker-reason") == "");
    CHECK(w.says("Delivering"));
    CHECK(w.is("redis", "ok"));
}

TEST_CASE("while Redis is away for long the page counts what is put aside in Postgres, until it is back") {
    if (!browser_is_there()) return;
    watched w(watched::variables{{"REDIS_BUFFER_BYTES", "65536"}});
    INFO(w.bridge.end_of_log());
    CHECK(browser().text("#parked") == "0");
    CHECK(browser().text("#waiting-bytes") == "0 B");
    w.redis.stop();
    const int sent = fill_memory(w);
    CHECK(browser().shows("#waiting-bytes", " KiB"));
    CHECK(browser().shows("#headline-detail", ", 1 event is parked in Postgres, nothing is lost."));
    CHECK(browser().text("#parked") == "1");
    std::vector<std::string> more;
    for (int i = 1; i <= 50; ++i)
        more.push_back(large_event(sent + i));
    notify_together(w.database, "chat", more);
    CHECK(browser().shows("#parked", "51"));
    CHECK(browser().shows("#headline-detail", ", 51 events are parked in Postgres, nothing is lost."));
    CHECK(rows_parked(w.database) == 51);
    CHECK(w.says("Redis is away since "));
    w.redis.start();
    CHECK(browser().shows("#delivered", std::to_string(sent + 50)));
    CHECK(eventually([] { return browser().text("#parked") == "0"; }));
    CHECK(eventually([] { return browser().text("#waiting-bytes") == "0 B"; }));
    CHECK(w.says("Delivering"));
}

TEST_CASE("a standby's page tells its role, and turns when the standby takes over") {
    if (!browser_is_there()) return;
    watched w;
    running_postrider standby(w.settings);
    INFO(standby.end_of_log());
    REQUIRE(standby.becomes("standby"));
    w.opens(standby);
    CHECK(w.says("Standing by"));
    CHECK(w.is("headline", "ok"));
    CHECK(browser().text("#headline-detail") == "Another process leads; this one is ready to take over.");
    CHECK(browser().text("#role") == "Standby");
    CHECK(browser().text("#listener .state") == "Standing by");
    for (const auto* panel : {"listener", "database", "redis"}) {
        CAPTURE(panel);
        CHECK(w.is(panel, "ok"));
    }
    // A standby is that only for moments, so here the page is told so.
    CHECK(browser().run("const state = structuredClone(last);"
                        "state.readiness.components.listener.status = 'down';"
                        "return verdict(state)[1]") == boost::json::value("Not ready to take over yet"));
    w.bridge.kill();
    CHECK(w.says("Delivering"));
    CHECK(browser().text("#role") == "Leader");
    CHECK(w.is("listener", "ok"));
    CHECK(browser().text("#listener .state") == "Taking events");
    w.database.notify("chat", R"({"k":"a"})");
    CHECK(browser().shows("#delivered", "1"));
}

}  // namespace
}  // namespace postrider::test
