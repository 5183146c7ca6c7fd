// A Redis that takes pushes and does not answer them is left alone for a while, too.
#include <doctest/doctest.h>

#include <csignal>

#include "chat.hpp"
#include "running_postrider.hpp"
#include "servers.hpp"
#include "support/eventually.hpp"
#include "support/tcp_gate.hpp"

namespace postrider::test {
namespace {

constexpr const char* route = R"(
[[route]]
name = "single"
channel = "chat"
policy = "immediate"
to = "singles"
)";

std::size_t count(const std::string& text, const std::string& words) {
    std::size_t found = 0;
    for (auto at = text.find(words); at != std::string::npos; at = text.find(words, at + 1))
        ++found;
    return found;
}

struct trial {
    // Opened by two failures, for so long; an answer that takes longer than `timeout` is one.
    trial(const std::string& open, const std::string& timeout)
        : bridge({.postgres_url = shared_postgres().url(),
                  .redis_url = redis_at(gate.port()),
                  .file = route,
                  .environment = {{"REDIS_BREAKER_FAILURES", "2"},
                                  {"REDIS_BREAKER_WINDOW", "10m"},
                                  {"REDIS_BREAKER_OPEN", open},
                                  {"REDIS_SOCKET_TIMEOUT", timeout}}}) {
        REQUIRE_MESSAGE(bridge.becomes_ready(), bridge.end_of_log());
    }
    void send() { database.notify("chat", talk.next("k" + std::to_string(talk.total() % 5))); }
    // The answer to a push is lost, or to what was under way before it.
    void lose_an_answer(bool by_silence) {
        const auto retries = line_with("postrider_redis_retries_total ");
        if (by_silence) {
            gate.swallow(support::tcp_gate::direction::to_client);
        } else {
            gate.cut_after(0, support::tcp_gate::direction::to_client);
        }
        send();
        REQUIRE(support::eventually([&] { return line_with("postrider_redis_retries_total ") != retries; }));
    }
    std::string line_with(const std::string& beginning) const {
        const std::string page = '\n' + bridge.get("/metrics").body;
        const auto at = page.find('\n' + beginning) + 1;
        return page.substr(at, page.find('\n', at) - at);
    }
    bool is_open() const {
        const std::string open = "postrider_breaker_state{target=\"singles\",state=\"open\"} ";
        return line_with(open) == open + '1';
    }
    void answers_again() {
        gate.pass();
        REQUIRE(bridge.answers("/stats", R"("pushed":)" + std::to_string(talk.total()), 90s));
        REQUIRE(bridge.becomes_ready());
    }

    support::redis_server redis;
    support::tcp_gate gate{redis.port()};
    support::sql database{shared_postgres().url()};
    running_postrider bridge;
    chat talk;
};

TEST_CASE("lost answers open the breaker, and the first that comes closes it; each change is told once") {
    // Far longer than the test: only the connection that stands anew makes it half-open. That trial has the
    // time of an answer, so this is longer than a busy machine stands still.
    trial t("10m", "8s");
    INFO(t.bridge.end_of_log());
    const std::string breaker = "WARNING redis: the circuit breaker of singles is ";
    int lost = 0;
    for (; lost < 20 && !t.is_open(); ++lost) {
        if (lost != 0) t.answers_again();
        t.lose_an_answer(lost != 0);
    }
    REQUIRE(t.is_open());
    CHECK(lost >= 2);
    // Redis has done it all the same.
    CHECK(wait_for_list(t.redis, "singles", t.talk.total()).size() == t.talk.total());
    CHECK(t.bridge.get("/health/readiness").status == 503);
    t.send();
    t.answers_again();
    CHECK(t.bridge.answers("/redis/stats", R"("breaker":{"state":"closed","since":"20)"));
    CHECK(t.talk.verdict(t.redis.list("singles")) == "");
    // With the counts of lines that came more than once.
    t.bridge.signal(SIGTERM);
    CHECK(t.bridge.ends() == 0);
    const std::string log = t.bridge.log();
    CHECK(count(log, breaker) == 3);
    CHECK(count(log, breaker + "open, nothing is pushed for 10 min: no reply within 8 s") == 1);
    CHECK(count(log, breaker + "half-open: connected anew, one batch is tried") == 1);
    CHECK(count(log, breaker + "closed") == 1);
}

TEST_CASE("pushes that time out on a server that is there open the breaker; readiness says why") {
    trial t("1s", "500ms");
    INFO(t.bridge.end_of_log());
    t.send();
    REQUIRE(wait_for_list(t.redis, "singles", 1).size() == 1);
    // Whoever writes waits; connections and pings are answered.
    t.redis.command({"CLIENT", "PAUSE", "1000000", "WRITE"});
    t.send();
    CHECK(
        t.bridge.logs("the circuit breaker of singles is open, nothing is pushed for 1 s: no reply within"));
    CHECK(t.bridge.answers("/health/readiness", ": singles: no reply within 500 ms"));
    CHECK(t.bridge.answers("/redis/stats", R"(","reason":"singles: no reply within 500 ms)"));
    CHECK(t.bridge.logs("the circuit breaker of singles is half-open: one batch is tried"));
    t.redis.command({"CLIENT", "UNPAUSE"});
    CHECK(t.bridge.logs("the circuit breaker of singles is closed"));
    CHECK(t.bridge.becomes_ready());
    CHECK(t.talk.verdict(wait_for_list(t.redis, "singles", t.talk.total())) == "");
}

}  // namespace
}  // namespace postrider::test
