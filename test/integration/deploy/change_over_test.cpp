// The guide's way from the Python bridge to Postrider (deploy/README.md), and back, step by step.
#include <doctest/doctest.h>

#include <csignal>

#include "chat.hpp"
#include "command.hpp"
#include "running_postrider.hpp"
#include "servers.hpp"
#include "support/eventually.hpp"
#include "talking.hpp"

namespace postrider::test {
namespace {

using support::eventually;
using variables = std::vector<std::pair<std::string, std::string>>;

support::process start_old_bridge(const variables& environment) {
    return support::process(
        {.arguments = {"/usr/bin/python3", POSTRIDER_SOURCE_FOLDER "/test/integration/deploy/old_bridge.py"},
         .environment = environment});
}

// The chat backend, its list, and a Redis that nobody else uses.
struct backend {
    void talk_on(int messages) {
        for (int i = 0; i < messages; ++i)
            database.notify("bot_events", next_message(talk));
    }
    std::vector<std::string> contexts() {
        auto names = redis.command({"KEYS", "context:*"});
        std::erase(names, "");
        return names;
    }
    // How many messages stand in the list or in an open group.
    std::size_t taken() {
        auto all = redis.list("bot_messages");
        for (const auto& name : contexts())
            for (const auto& text : redis.command({"GET", name}))
                all.push_back(text);
        return ids_in(all).size();
    }
    bool all_taken() {
        return eventually([&] { return taken() == talk.total(); });
    }
    std::string verdict() { return talk.verdict(wait_for_messages(redis, "bot_messages", talk.total())); }

    support::redis_server redis;
    support::sql database{shared_postgres().url()};
    chat talk;
    variables environment{{"POSTGRES_URL", shared_postgres().url()},
                          {"REDIS_URL", redis.url()},
                          {"GROUPING_DELAY", "2"},
                          {"PUSH_COOLDOWN", "0"}};
};

postrider_settings same_environment(const backend& b) {
    return {
        .postgres_url = shared_postgres().url(), .redis_url = b.redis.url(), .environment = b.environment};
}

// Talks on until the old bridge has open groups, and stops it there as it stands.
void hold_with_open_groups(backend& b, support::process& old) {
    REQUIRE(eventually([&] {
        b.talk_on(5);
        if (!b.all_taken()) return false;
        old.signal(SIGSTOP);
        if (!b.contexts().empty()) return true;
        old.signal(SIGCONT);
        return false;
    }));
}

TEST_CASE(
    "the guide's change-over from the Python bridge loses nothing and delivers nothing twice, and back") {
    backend b;
    auto old = start_old_bridge(b.environment);
    REQUIRE_MESSAGE(old.wait_for_output("listening"), old.output());
    b.talk_on(50);
    // Days before, while messages flow.
    const auto applied = run_command({"schema", "--apply"}, b.environment);
    CHECK_MESSAGE(applied.status == 0, applied.output);
    b.talk_on(10);
    const auto checked = run_command({"check"}, b.environment);
    CHECK_MESSAGE(checked.status == 0, checked.output);

    hold_with_open_groups(b, old);
    old.signal(SIGTERM);
    old.signal(SIGCONT);
    REQUIRE(old.wait() == 0);
    const auto left = b.contexts().size();
    REQUIRE(left > 0);
    running_postrider bridge(same_environment(b));
    INFO(bridge.end_of_log());
    CHECK(bridge.logs("adopted " + std::to_string(left) + " open groups"));
    REQUIRE(bridge.becomes_ready());
    b.talk_on(50);
    CHECK(b.verdict() == "");

    // And back: the old bridge does not take over what is open, so that has to leave first.
    b.talk_on(10);
    CHECK(b.verdict() == "");
    CHECK(eventually([&] { return b.contexts().empty(); }));
    bridge.signal(SIGTERM);
    CHECK(bridge.ends() == 0);
    auto again = start_old_bridge(b.environment);
    REQUIRE_MESSAGE(again.wait_for_output("listening"), again.output());
    b.talk_on(10);
    CHECK(b.verdict() == "");
    CHECK(eventually([&] { return b.contexts().empty(); }));
}

}  // namespace
}  // namespace postrider::test
