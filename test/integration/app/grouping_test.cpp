#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <random>

#include "chat.hpp"
#include "running_postrider.hpp"
#include "servers.hpp"

namespace postrider::test {
namespace {

std::uint64_t random_seed() {
    const char* const given = std::getenv("POSTRIDER_SEED");
    const std::uint64_t seed = given != nullptr ? std::stoull(given) : std::random_device{}();
    MESSAGE("POSTRIDER_SEED=", seed);
    return seed;
}

using groups = std::map<std::string, std::vector<std::string>>;  // by key, in order

// The key of a group as the frame says it, behind the messages.
std::string key_of(const std::string& group) {
    const std::string mark = R"(],"match_id":")";
    const auto at = group.rfind(mark) + mark.size();
    return group.substr(at, group.find('"', at) - at);
}

constexpr std::size_t most_messages = 4;  // in a group
const std::string routes = R"(
[[route]]
name = "bot_events"
channel = "bot_events"
policy = "group"
key = "/match_id"
window = "2s"
cooldown = "0s"
max_events = 4
to = "bot_messages"
fields = { match_id = "/match_id", bot_id = "/bot_id" }
)";

// One transaction to some keys, its messages shuffled among them; adds to what must come of it: of each key
// full groups, and what is left over.
std::vector<std::string> burst(chat& talk, const std::vector<std::string>& keys, std::mt19937_64& dice,
                               groups& expected) {
    std::vector<std::string> turns;
    for (const std::string& key : keys)
        turns.insert(turns.end(), 1 + dice() % 10, key);
    std::shuffle(turns.begin(), turns.end(), dice);
    std::vector<std::string> payloads;
    std::map<std::string, std::vector<std::string>> by_key;
    for (const std::string& key : turns) {
        payloads.push_back(talk.next(key));
        by_key[key].push_back(payloads.back());
    }
    for (const auto& [key, messages] : by_key)
        for (std::size_t at = 0; at < messages.size(); at += most_messages) {
            const auto end = std::min(at + most_messages, messages.size());
            expected[key].push_back(
                expected_group(key, {messages.begin() + static_cast<std::ptrdiff_t>(at),
                                     messages.begin() + static_cast<std::ptrdiff_t>(end)}));
        }
    return payloads;
}

TEST_CASE(
    "a thousand messages in random bursts over 50 conversations leave once, in order, in the right groups") {
    std::mt19937_64 dice(random_seed());
    auto& redis = shared_redis();
    support::sql database(shared_postgres().url());
    running_postrider bridge(
        {.postgres_url = shared_postgres().url(), .redis_url = redis.url(), .file = routes});
    INFO(bridge.end_of_log());
    REQUIRE(bridge.becomes_ready());

    std::vector<std::string> keys;
    for (int i = 0; i < 50; ++i)
        keys.push_back("k" + std::to_string(i));
    chat talk;
    groups expected;
    std::size_t expected_groups = 0;
    while (talk.total() < 1000) {
        // Each key has one burst a round, and the next round waits for all groups of this one.
        std::shuffle(keys.begin(), keys.end(), dice);
        const std::size_t one = 1 + dice() % 16;
        const std::size_t two = one + 1 + dice() % 16;
        const std::size_t three = two + 1 + dice() % 16;
        for (const auto& [from, to] : {std::pair(std::size_t{0}, one), {one, two}, {two, three}}) {
            const std::vector<std::string> some(keys.begin() + static_cast<std::ptrdiff_t>(from),
                                                keys.begin() + static_cast<std::ptrdiff_t>(to));
            notify_together(database, "bot_events", burst(talk, some, dice, expected));
        }
        expected_groups = 0;
        for (const auto& each : expected)
            expected_groups += each.second.size();
        REQUIRE(wait_for_list(redis, "bot_messages", expected_groups).size() == expected_groups);
    }

    groups found;
    const auto list = redis.list("bot_messages");
    for (const std::string& each : list)
        found[key_of(each)].push_back(each);
    for (const auto& each : expected) {
        CAPTURE(each.first);
        CHECK(found[each.first] == each.second);
    }
    CHECK(found.size() == expected.size());
    CHECK(talk.verdict(list) == "");
    // What has left is no longer kept.
    CHECK(redis.command({"KEYS", "context:*"}).empty());
}

TEST_CASE(
    "an event in the cooldown is not dropped, and its group does not leave before the cooldown is over") {
    constexpr auto window = 200ms;
    constexpr auto cooldown = 8s;
    auto& redis = shared_redis();
    support::sql database(shared_postgres().url());
    running_postrider bridge({.postgres_url = shared_postgres().url(),
                              .redis_url = redis.url(),
                              .environment = {{"GROUPING_DELAY", "200ms"}, {"PUSH_COOLDOWN", "8s"}}});
    INFO(bridge.end_of_log());
    REQUIRE(bridge.becomes_ready());

    chat talk;
    const auto sent_at = std::chrono::steady_clock::now();
    const std::string first = talk.next("k");
    database.notify("bot_events", first);
    REQUIRE(wait_for_list(redis, "bot_messages", 1).size() == 1);

    // The cooldown is the key's own: another conversation's group overtakes the second one.
    const std::string second = talk.next("k");
    const std::string third = talk.next("k");
    const std::string other = talk.next("other");
    notify_together(database, "bot_events", {second, third, other});
    const auto list = wait_for_list(redis, "bot_messages", 3);
    const auto left_after = std::chrono::steady_clock::now() - sent_at;

    CHECK(list == std::vector<std::string>{expected_group("k", {first}), expected_group("other", {other}),
                                           expected_group("k", {second, third})});
    // The first group left no sooner than its window allowed, the second no sooner than a cooldown later.
    CHECK(left_after >= window + cooldown);
}

}  // namespace
}  // namespace postrider::test
