#include "redis/names.hpp"

#include <doctest/doctest.h>

#include <random>
#include <set>
#include <string>
#include <vector>

#include "redis/glob.hpp"
#include "redis/slot.hpp"

using namespace postrider::redis;
using postrider::event::target;
using postrider::event::target_kind;

namespace {

using texts = std::vector<std::string>;

target to(std::string name, target_kind kind = target_kind::list) {
    return {.kind = kind, .name = std::move(name), .max_length = 0};
}

target_keys keys_of(const std::string& name, std::string_view bridge = default_bridge,
                    bool in_cluster = false) {
    return {to(name), bridge, in_cluster};
}

texts guards_of(const target_keys& keys) {
    return {keys.ledger("w"), keys.epoch(), keys.renewed("w"), keys.written()};
}

// All that is kept for a route and its target.
texts all_of(const target_keys& keys, std::string_view route) {
    auto all = guards_of(keys);
    for (auto key : {keys.context(route, "k"), keys.delay(route, "t"), keys.letter(route, "t"),
                     keys.place(route), keys.behind(route), keys.seen(route), keys.caught_up(route)})
        all.push_back(std::move(key));
    return all;
}

// What the configuration takes as a name.
constexpr std::string_view bytes_of_names =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-";

}  // namespace

TEST_CASE("the default bridge's names are those that the Python bridge and earlier runs know") {
    const auto keys = keys_of("bot_messages");
    CHECK(keys.context("bot_events", "m1") == "context:m1");
    CHECK(keys.context("typing", "m1") == "context@typing:m1");
    CHECK(keys.delay("new_match", "t") == "postrider:delay:new_match:t");
    CHECK(keys.letter("new_match", "t") == "postrider:letter:new_match:t");
    CHECK(keys.place("r") == "postrider:{bot_messages}:place:r");
    CHECK(keys.behind("r") == "postrider:{bot_messages}:behind:r");
    CHECK(keys.seen("r") == "postrider:{bot_messages}:seen:r");
    CHECK(keys.caught_up("r") == "postrider:{bot_messages}:caught_up:r");
    CHECK(guards_of(keys) == texts{"postrider:{bot_messages}:ledger:w", "postrider:{bot_messages}:epoch",
                                   "postrider:{bot_messages}:renewed:w", "postrider:{bot_messages}:written"});
    const auto in_cluster = keys_of("bot_messages", default_bridge, true);
    CHECK(in_cluster.context("bot_events", "m1") == "context:{bot_messages}:m1");
    CHECK(in_cluster.context("typing", "m1") == "context@{bot_messages}:typing:m1");
    CHECK(in_cluster.delay("new_match", "t") == "postrider:delay:{bot_messages}:new_match:t");
    CHECK(in_cluster.letter("new_match", "t") == "postrider:letter:{bot_messages}:new_match:t");
    CHECK(in_cluster.epoch() == "postrider:{bot_messages}:epoch");
}

TEST_CASE("another bridge's names all begin with its own") {
    const auto keys = keys_of("q", "chat");
    CHECK(keys.context("bot_events", "m1") == "postrider@chat:context:m1");
    CHECK(keys.context("typing", "m1") == "postrider@chat:context@typing:m1");
    CHECK(keys.delay("new_match", "t") == "postrider@chat:delay:new_match:t");
    CHECK(keys.epoch() == "postrider@chat:{q}:epoch");
    for (const auto& key : all_of(keys_of("a{t}", "chat", true), "r"))
        CHECK(key.starts_with("postrider@chat:"));
}

TEST_CASE("in a cluster everything about a target shares its slot, whatever stands in routes and keys") {
    for (const char* bridge : {"postrider", "chat", "A-z_0.9"})
        for (const char* name : {"bot_messages", "a{b}c", "{x}", "open{"}) {
            CAPTURE(name);
            const auto keys = keys_of(name, bridge, true);
            for (const auto& key : all_of(keys, "{r}"))
                CHECK(slot_of(key) == slot_of(name));
            CHECK(slot_of(keys.context("bot_events", "{m}1")) == slot_of(name));
            CHECK(slot_of(replay_ledger_name(to(name), "t")) == slot_of(name));
        }
}

TEST_CASE("two targets with the same tag keep their own ledgers") {
    CHECK(keys_of("a{t}").ledger("w") != keys_of("b{t}").ledger("w"));
    CHECK(keys_of("{t}").ledger("w") != keys_of("t").ledger("w"));
}

TEST_CASE("what guards a channel is apart from what guards a list or stream of its name, which are one key") {
    const auto guards = [](target_kind kind) { return guards_of({to("q", kind), default_bridge, false}); };
    const auto of_list = guards(target_kind::list);
    CHECK(guards(target_kind::stream) == of_list);
    const auto of_channel = guards(target_kind::pubsub);
    for (std::size_t i = 0; i < of_list.size(); ++i) {
        CHECK(of_channel[i] != of_list[i]);
        CHECK(slot_of(of_channel[i]) == slot_of("q"));
    }
}

TEST_CASE("bridges of two names share no key, and each finds its own open groups and delays alone") {
    std::mt19937 random(7);
    const auto word = [&random] {
        // Words that the keys themselves are made of, and short ones, which meet often.
        const texts known{"context", "delay", "postrider", "epoch", "bot_events", "ledger", "a", "b", "c"};
        if (random() % 2 == 0) return known[random() % known.size()];
        std::string text;
        for (auto length = 1 + random() % 3; length > 0; --length)
            text += bytes_of_names[random() % bytes_of_names.size()];
        return text;
    };
    std::set<std::string> bridges{"postrider"};
    while (bridges.size() < 60)
        bridges.insert(word());
    std::set<std::string> routes{"bot_events"};
    while (routes.size() < 12)
        routes.insert(word());
    for (const bool in_cluster : {false, true}) {
        std::set<std::string> taken;
        std::size_t made = 0;
        for (const auto& bridge : bridges)
            for (const auto& route : routes) {
                const auto keys = keys_of("bot_messages", bridge, in_cluster);
                for (const auto& key :
                     {keys.context(route, "k"), keys.delay(route, "t"), keys.letter(route, "t"),
                      keys.place(route), keys.behind(route), keys.seen(route), keys.caught_up(route)}) {
                    ++made;
                    taken.insert(key);
                }
                if (route != "bot_events") continue;
                for (const auto& key : guards_of(keys)) {
                    ++made;
                    taken.insert(key);
                }
            }
        CHECK(taken.size() == made);
        for (const auto& bridge : bridges) {
            CAPTURE(bridge);
            std::size_t contexts = 0;
            std::size_t delays = 0;
            std::size_t both = 0;
            for (const auto& key : taken) {
                if (matches_glob(context_pattern(bridge), key)) ++contexts;
                if (matches_glob(delay_pattern(bridge), key)) ++delays;
                if (matches_glob(delay_and_letter_pattern(bridge), key)) ++both;
            }
            CHECK(contexts == routes.size());
            CHECK(delays == routes.size());
            CHECK(both == 2 * routes.size());
        }
    }
}

TEST_CASE("no byte that a bridge's name may hold has a meaning in a pattern") {
    const auto keys = keys_of("q", bytes_of_names);
    CHECK(matches_glob(context_pattern(bytes_of_names), keys.context("r", "k")));
    for (const char c : bytes_of_names) {
        const std::string bridge(1, c);
        for (const char other : bytes_of_names)
            CHECK(matches_glob(delay_pattern(bridge), keys_of("q", std::string(1, other)).delay("r", "t")) ==
                  (c == other));
    }
}

TEST_CASE("a dead letter's ledger is the same whichever bridge pushes it again") {
    CHECK(replay_ledger_name(to("q"), "t") == "postrider:{q}:ledger:replay:t");
    CHECK(replay_ledger_name(to("a{t}"), "t") == "postrider:{t}:a{t}:ledger:replay:t");
}
