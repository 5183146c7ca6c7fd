// The dashboard follows the service.
#include <doctest/doctest.h>

#include <csignal>

#include "servers.hpp"
#include "support/eventually.hpp"
#include "watched.hpp"

namespace postrider::test {
namespace {

using support::eventually;

double number_of(const std::string& text) {
    return text.empty() || text == "–" ? -1 : std::stod(text);
}

TEST_CASE("the figures change when events flow, and the browser has nothing to complain about") {
    if (!browser_is_there()) return;
    watched w;
    INFO(w.bridge.end_of_log());
    CHECK(browser().text("#delivered") == "0");
    CHECK(browser().text("#role") == "Leader");
    CHECK(browser().text("#version") == "version 0.1.0");
    CHECK(browser().text("#sizes .latest") == "0 groups so far");
    CHECK(w.is("database", "ok"));
    CHECK(w.is("redis", "ok"));
    CHECK(w.is("listener", "ok"));
    notify_together(w.database, "chat", {R"({"k":"a"})", R"({"k":"a","n":2})", R"({"k":"b"})"});
    CHECK(browser().shows("#delivered", "2"));
    CHECK(browser().shows("#sizes .latest", "2 groups so far"));
    CHECK(browser().shows("#route-rows", "quick320"));
    CHECK(eventually([] { return number_of(browser().text("#events-rate")) > 0; }));
    CHECK(eventually([] { return number_of(browser().text("#deliveries-rate")) > 0; }));
    CHECK(browser().text("#headline-detail").find("a second") != std::string::npos);
    // The charts are drawn: a line from at least two points.
    for (const auto* line : {"#database path", "#redis path", "#flow path", "#flow path.second"}) {
        CAPTURE(line);
        CHECK(eventually([&] {
            return browser()
                       .run("return document.querySelector(arguments[0]).getTotalLength()", {line})
                       .to_number<double>() > 1;
        }));
    }
    // One group of one event and one of two: two bars, which grow to the same height, and no other.
    CHECK(eventually([] {
        return browser().run(
                   "return [...document.querySelectorAll('#sizes .bars > div')]"
                   ".filter((column) => column.firstChild.offsetHeight > 10)"
                   ".map((column) => column.title + ', ' + column.firstChild.style.height).join('; ')") ==
               boost::json::value("1: 1, 80%; 2: 1, 80%");
    }));
    CHECK(browser().errors() == std::vector<std::string>());
}

TEST_CASE("open groups stand there with what they hold and how long they stay") {
    if (!browser_is_there()) return;
    watched w;
    notify_together(w.database, "slow", {R"({"k":"one"})", R"({"k":"two","n":1})", R"({"k":"two","n":2})"});
    CHECK(browser().shows("#open", "2"));
    CHECK(browser().shows("#next-due tr:nth-child(1)", "oneslow1"));
    CHECK(browser().shows("#next-due tr:nth-child(2)", "twoslow2"));
    CHECK(browser().shows("#next-due .due", "59 min "));
    const auto before = browser().text("#next-due .due");
    CHECK(eventually([&] { return browser().text("#next-due .due") != before; }));
    CHECK(browser().shows("#headline-detail", "2 groups are open"));
}

TEST_CASE(
    "the light of Redis turns when it stops, the page says what waits, and turns back when it is there") {
    if (!browser_is_there()) return;
    watched w;
    INFO(w.bridge.end_of_log());
    w.redis.stop();
    CHECK(w.is("redis", "bad"));
    CHECK(browser().text("#redis .state") == "Away");
    CHECK(w.says("Redis is away since "));
    CHECK(w.is("headline", "bad"));
    w.database.notify("chat", R"({"k":"a"})");
    CHECK(browser().shows("#headline-detail", "1 delivery waits, nothing is lost."));
    CHECK(browser().shows("#waiting", "1"));
    w.redis.start();
    CHECK(w.is("redis", "ok"));
    CHECK(browser().text("#redis .state") == "Connected");
    CHECK(w.says("Delivering"));
    CHECK(browser().shows("#waiting", "0"));
    CHECK(browser().shows("#delivered", "1"));
}

TEST_CASE("the page says plainly when it lost the service, since when, and recovers with it") {
    if (!browser_is_there()) return;
    watched w;
    w.bridge.kill();
    CHECK(w.says("Connection to Postrider lost since "));
    CHECK(w.is("headline", "bad"));
    CHECK(browser().text("#headline-detail").find("What stands below is from before") != std::string::npos);
    w.bridge.start();
    CHECK(w.says("Delivering"));
    CHECK(w.is("headline", "ok"));
    CHECK(browser().run("return document.body.classList.contains('lost')") == boost::json::value(false));
    // A new process counts from the beginning, and so does the page.
    w.database.notify("chat", R"({"k":"a"})");
    CHECK(browser().shows("#delivered", "1"));
}

TEST_CASE("a service that says nothing any more counts as lost, and as found when it speaks again") {
    if (!browser_is_there()) return;
    watched w;
    w.bridge.signal(SIGSTOP);
    CHECK(w.says("Connection to Postrider lost since "));
    w.bridge.signal(SIGCONT);
    CHECK(w.says("Delivering"));
}

TEST_CASE("a stream that only ended is taken up again without alarm") {
    if (!browser_is_there()) return;
    watched w;
    browser().run(
        "window.alarms = 0;"
        "new MutationObserver(() => { window.alarms += document.body.classList.contains('lost') ? 1 : 0 })"
        ".observe(document.body, { attributes: true });"
        "source.dispatchEvent(new Event('error'))");
    const auto before = browser().text("#uptime");
    CHECK(eventually([&] { return browser().text("#uptime") != before; }));
    CHECK(browser().run("return window.alarms") == boost::json::value(0));
    CHECK(browser().text("#headline-words") == "Delivering");
}

TEST_CASE("a page that finds no place among the event streams says so, tries again, and finds one") {
    if (!browser_is_there()) return;
    watched w;
    INFO(w.bridge.end_of_log());
    browser().open("about:blank");
    REQUIRE(w.bridge.answers("/metrics", "\npostrider_http_streams 0\n"));
    std::vector<raw_connection> others;
    for (int i = 0; i < 128; ++i) {
        others.emplace_back(w.bridge.port(), "GET /events HTTP/1.1\r\nHost: test\r\n\r\n");
        REQUIRE(others.back().receive_some().starts_with("HTTP/1.1 200 OK\r\n"));
    }
    w.opens();
    CHECK(w.says("Too many dashboards are open"));
    CHECK(w.is("headline", "warn"));
    CHECK(browser().text("#headline-detail").starts_with("Postrider answers, but has had no place"));
    others.clear();
    CHECK(w.says("Delivering"));
    CHECK(browser().run("return document.body.classList.contains('lost')") == boost::json::value(false));
    // The cause of one loss is not said of the next.
    w.bridge.kill();
    CHECK(w.says("Connection to Postrider lost since "));
}

}  // namespace
}  // namespace postrider::test
