// What a leader has on its way to Redis when another takes over.
#include <doctest/doctest.h>

#include <csignal>

#include "support/eventually.hpp"
#include "support/tcp_gate.hpp"
#include "two_replicas.hpp"

namespace postrider::test {
namespace {

TEST_CASE(
    "a leader dies before the answers to what it has pushed come: the standby pushes none of it again") {
    two_replicas t{.heartbeat = "1m"};
    support::tcp_gate gate(t.redis.port());
    const auto first = t.replica(shared_postgres().url(), redis_at(gate.port()));
    REQUIRE(first->becomes("leader"));
    const auto second = t.replica();
    INFO(first->end_of_log());
    INFO(second->end_of_log());
    REQUIRE(second->becomes("standby"));
    REQUIRE(t.talk_for(1s));
    std::string list;
    SUBCASE("of single events") {
        list = "singles";
    }
    SUBCASE("of groups") {
        list = "groups";
    }
    // Out of rest, so that no other answer is under way which could be lost instead: a push of single events
    // is the first command then, that of groups the first behind their contexts.
    const auto loses_the_answer_to_a_push = [&] {
        REQUIRE(t.comes_to_rest(*first));
        const auto before = t.redis.list(list).size();
        if (list == "singles") gate.swallow(support::tcp_gate::direction::to_client);
        t.send_burst();
        if (list == "groups") {
            // On a machine that stands still they may have left before they were seen: an attempt without
            // luck.
            REQUIRE(support::eventually([&] {
                return t.open_groups() == two_replicas::burst || t.redis.list(list).size() > before;
            }));
            if (t.redis.list(list).size() > before) return false;
            gate.swallow(support::tcp_gate::direction::to_client);
        }
        if (support::eventually([&] { return t.redis.list(list).size() > before; }, 5s)) return true;
        gate.cut();
        gate.pass();
        REQUIRE(t.talk_until([&] { return first->is("leader"); }));
        return false;
    };
    bool lost = false;
    for (int i = 0; i < 20 && !lost; ++i)
        lost = loses_the_answer_to_a_push();
    REQUIRE(lost);
    first->kill();
    REQUIRE(t.talk_until([&] { return second->is("leader"); }));
    t.check_everything_once();
}

TEST_CASE("what a stopped leader has sent reaches Redis when another leads: the epoch refuses it") {
    two_replicas t;
    support::tcp_gate gate(t.redis.port());
    auto settings = t.settings(shared_postgres().url(), redis_at(gate.port()));
    // The answer is to be there when it wakes up, however late that is.
    settings.environment.emplace_back("REDIS_SOCKET_TIMEOUT", "300");
    running_postrider first(settings);
    REQUIRE(first.becomes("leader"));
    const auto second = t.replica();
    INFO(first.end_of_log());
    INFO(second->end_of_log());
    REQUIRE(second->becomes("standby"));
    REQUIRE(t.talk_for(300ms));
    gate.stall(support::tcp_gate::direction::to_server);
    const auto sent = t.talk.total();
    REQUIRE(t.talk_for(300ms));
    REQUIRE(t.talk.total() > sent);
    first.signal(SIGSTOP);
    t.end_session_of_leader();
    REQUIRE(t.talk_until([&] { return second->is("leader"); }, 60s));
    gate.pass();
    REQUIRE(t.talk_for(300ms));
    const auto log = first.log().size();
    first.signal(SIGCONT);
    CHECK(first.logs("stepping down: STALE", 30s, log));
    REQUIRE(t.talk_until([&] { return first.is("standby"); }));
    t.check_everything_once();
    CHECK(second->is("leader"));
    // Whoever has deposed it held the lock, and it comes to lead again by right.
    second->kill();
    REQUIRE(t.talk_until([&] { return first.is("leader"); }));
    t.check_everything_once();
    CHECK(first.log().find("POSTRIDER_NAME") == std::string::npos);
}

// One of each of the 40 conversations.
void send_to_all(two_replicas& t) {
    for (int i = 0; i < 8; ++i)
        t.send_burst();
}

enum class cut { silent, broken };

// False: the groups were due before it was seen that another leads, as may be on a machine that stands still.
bool is_refused_while_cut_from_postgres(cut how) {
    two_replicas t{.heartbeat = "1m"};
    support::tcp_gate gate(shared_postgres().port());
    running_postrider first(t.settings(postgres_at(gate.port()), t.redis.url(), "8s"));
    REQUIRE(first.becomes("leader"));
    running_postrider second(t.settings(shared_postgres().url(), t.redis.url(), "8s"));
    INFO(first.end_of_log());
    INFO(second.end_of_log());
    REQUIRE(second.becomes("standby"));
    send_to_all(t);
    // Nothing but the push itself is left to be refused.
    REQUIRE(support::eventually([&] { return t.all_is_done(); }));
    gate.stall();
    t.end_session_of_leader();
    if (how == cut::broken) {
        gate.refuse();
        REQUIRE(first.logs("connection lost: "));
    }
    REQUIRE(second.becomes("leader"));
    send_to_all(t);
    const std::string stepping_down = "stepping down: ";
    if (first.log().find(stepping_down) != std::string::npos || !t.redis.list("groups").empty()) return false;
    CHECK(first.logs(stepping_down + "STALE"));
    t.check_everything_once();
    CHECK(first.answers("/health/readiness", R"("role":"standby")"));
    CHECK(second.is("leader"));
    return true;
}

TEST_CASE(
    "a leader cut from Postgres alone steps down when its groups are due and another leads, who pushes "
    "them") {
    auto how = cut::silent;
    SUBCASE("and does not know it yet") {}
    SUBCASE("and knows that its session broke") {
        how = cut::broken;
    }
    bool is_seen = false;
    for (int i = 0; i < 10 && !is_seen; ++i)
        is_seen = is_refused_while_cut_from_postgres(how);
    CHECK(is_seen);
}

TEST_CASE("a leader without any Postgres delivers what is due, because nobody else can lead then") {
    const auto delivers = [] {
        two_replicas t{.heartbeat = "1m"};
        support::tcp_gate gate(shared_postgres().port());
        running_postrider only(t.settings(postgres_at(gate.port()), t.redis.url(), "4s"));
        INFO(only.end_of_log());
        REQUIRE(only.becomes("leader"));
        send_to_all(t);
        REQUIRE(support::eventually([&] { return t.all_is_done(); }));
        gate.refuse();
        REQUIRE(only.logs("connection lost: "));
        // Groups that were due before prove nothing.
        if (!t.redis.list("groups").empty()) return false;
        t.check_everything_once();
        CHECK(only.log().find("stepping down") == std::string::npos);
        return true;
    };
    bool is_seen = false;
    for (int i = 0; i < 10 && !is_seen; ++i)
        is_seen = delivers();
    CHECK(is_seen);
}

}  // namespace
}  // namespace postrider::test
