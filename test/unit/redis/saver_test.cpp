#include "redis/saver.hpp"

#include <doctest/doctest.h>

#include <map>
#include <string>

using namespace std::chrono_literals;
using postrider::core::steady;
using postrider::core::wall;
using postrider::event::context_update;
using postrider::redis::open_groups;
using postrider::redis::pipeline;
using postrider::redis::place;
using postrider::redis::reply;
using postrider::redis::saver;
using postrider::redis::target_keys;

namespace {

target_keys keys(bool in_cluster = false) {
    return {{postrider::event::target_kind::list, "to", 0}, postrider::redis::default_bridge, in_cluster};
}

steady::time_point at(std::chrono::milliseconds t) {
    return steady::time_point(1h + t);
}

reply refusal(std::string words) {
    return {reply::kind::error, std::move(words), 0, {}};
}

// The Lua script's answer: the positions of the contexts that stand in Redis otherwise than expected.
reply unlike(const std::vector<std::int64_t>& positions) {
    reply list{reply::kind::array, "", 0, {}};
    for (const auto position : positions)
        list.items.push_back({reply::kind::integer, "", position, {}});
    return list;
}

// Open groups of one route, each with a single message, that are written when they are "changed".
struct groups {
    std::map<std::string, bool> changed;                    // by key; true: waits to be shown
    steady::time_point oldest = steady::time_point::min();  // of the changes that wait

    open_groups view() {
        return {[this](std::size_t limit, const open_groups::visitor& visit) {
                    std::size_t shown = 0;
                    for (auto& [key, waits] : changed) {
                        if (!waits || shown == limit) continue;
                        waits = false;
                        ++shown;
                        visit(0, context_update{key, "{}", 0, 7, 1, at(0s), at(0s)});
                    }
                    return shown;
                },
                [this] {
                    for (const auto& [key, waits] : changed)
                        if (waits) return true;
                    return false;
                },
                [this](std::size_t, std::string_view key) { changed[std::string(key)] = true; },
                [this] {
                    for (const auto& [key, waits] : changed)
                        if (waits) return std::optional(oldest);
                    return std::optional<steady::time_point>();
                }};
    }
};

struct bench {
    groups open;
    saver saves{open.view(), {"bot_events"}, 60s, keys()};

    // The commands of one flush, as Redis gets them.
    pipeline flush(std::chrono::milliseconds now = 0ms) {
        pipeline p;
        saves.encode(p, "sha", 5, at(now), wall::time_point(1h));
        return p;
    }
    bool finish() { return saves.replied(unlike({})).empty(); }
};

bool has(const pipeline& p, std::string_view words) {
    return p.bytes().find(words) != std::string::npos;
}

// A whole call of save.lua: the keys of the entries, and their words.
std::string call(std::initializer_list<std::string_view> keys,
                 std::initializer_list<std::string_view> words) {
    const auto number = std::to_string(keys.size() + 1);
    std::vector<std::string_view> all{"EVALSHA", "sha", number, "postrider:{to}:epoch"};
    all.insert(all.end(), keys.begin(), keys.end());
    all.insert(all.end(), {"5", "60000"});
    all.insert(all.end(), words.begin(), words.end());
    pipeline p;
    p.add(all);
    return p.bytes();
}

}  // namespace

TEST_CASE("with nothing new a flush is empty") {
    bench b;
    CHECK_FALSE(b.saves.has_work());
    CHECK(b.flush().empty());
    CHECK(b.saves.saved_until(at(5s)) == at(5s));
}

TEST_CASE("changed groups are written by one call of the script, whole ones with head and tail") {
    bench b;
    b.open.changed = {{"a", true}, {"b", true}, {"c", false}};
    CHECK(b.saves.has_work());
    const auto p = b.flush();
    CHECK(p.size() == 1);
    CHECK(has(p,
              "EVALSHA\r\n$3\r\nsha\r\n$1\r\n3\r\n$20\r\npostrider:{to}:epoch\r\n"
              "$9\r\ncontext:a\r\n$9\r\ncontext:b\r\n$1\r\n5\r\n$5\r\n60000\r\n"
              "$7\r\ncontext\r\n$1\r\n0\r\n"));
    CHECK(has(p, R"({"route":"bot_events",)"));
    CHECK(has(p, R"("position":                   7,)"));
    CHECK(has(p, "{}]}"));
    CHECK_FALSE(b.saves.has_work());
}

TEST_CASE("in a cluster a context carries the tag of its target") {
    bench b;
    b.saves = saver(b.open.view(), {"bot_events"}, 60s, keys(true));
    b.open.changed = {{"a", true}};
    CHECK(has(b.flush(), "\r\ncontext:{to}:a\r\n"));
}

TEST_CASE("contexts that stand otherwise in Redis are written again") {
    bench b;
    b.open.changed = {{"a", true}, {"b", true}};
    SUBCASE("alone") {
        b.flush();
        CHECK(b.saves.replied(unlike({3})).empty());
    }
    SUBCASE("behind a place, which has two keys") {
        b.saves.note_place(place{"r", place::order::by_key, "m", 1}, std::nullopt);
        b.flush();
        CHECK(b.saves.replied(unlike({5})).empty());
    }
    CHECK_FALSE(b.open.changed["a"]);
    CHECK(b.open.changed["b"]);
    CHECK(b.saves.has_work());
}

TEST_CASE("values are set with their time to live or for ever, and the last one under a name counts") {
    bench b;
    b.saves.save("delay", "old", 5s);
    b.saves.save("delay", "new", 7s);
    b.saves.save("mark", "text", 0ms);
    CHECK(b.flush().bytes() == call({"delay", "mark"}, {"set", "new", "7000", "set", "text", "0"}));
    CHECK(b.finish());
    CHECK(b.flush().empty());
}

TEST_CASE("a dropped value is not written, and what stands in Redis is deleted where that is wanted") {
    bench b;
    b.saves.save("left", "x", 5s);
    b.saves.drop("left", false);
    CHECK_FALSE(b.saves.has_work());
    b.saves.save("cancelled", "x", 5s);
    b.saves.drop("cancelled", true);
    CHECK(b.flush().bytes() == call({"cancelled"}, {"delete"}));
}

TEST_CASE("a value dropped while its flush is under way is not written again when that fails") {
    bench b;
    b.saves.save("left", "x", 5s);
    b.flush();
    b.saves.drop("left", false);
    b.saves.failed();
    CHECK(b.flush().empty());
}

TEST_CASE("seen ids are added to their sets, and old ones trimmed") {
    bench b;
    b.saves.note_seen("set", 1'000, "a");
    b.saves.note_seen("set", 2'000, "b");
    b.saves.trim_seen("set", 500);
    CHECK(b.flush().bytes() == call({"set", "set"}, {"add", "2", "1000", "a", "2000", "b", "trim", "500"}));
}

TEST_CASE("a place goes in front of everything, with its number once that is known") {
    bench b;
    b.saves.save("value", "x", 5s);
    b.saves.note_place(place{"r", place::order::by_key, "m1", 10}, 12);
    b.saves.note_place(place{"r", place::order::by_key, "m2", 13}, std::nullopt);
    const std::string_view key = "postrider:{to}:place:r";
    const std::string_view behind = "postrider:{to}:behind:r";
    const auto whole = call({key, behind, "value"}, {"place", "m2", "13", "12", "", "set", "x", "5000"});
    CHECK(b.flush().bytes() == whole);
    SUBCASE("and again when the flush failed, behind what came meanwhile") {
        b.saves.note_place(place{"r", place::order::by_key, "m3", 14}, std::nullopt);
        b.saves.failed();
        CHECK(b.flush().bytes() ==
              call({key, behind, "value"}, {"place", "m3", "14", "12", "", "set", "x", "5000"}));
    }
    SUBCASE("once") {
        CHECK(b.finish());
        b.saves.note_place(place{"r", place::order::by_key, "m2", 13}, std::nullopt);
        CHECK(b.flush().bytes() == call({key, behind}, {"place", "m2", "13", "", ""}));
    }
}

TEST_CASE("a flush without an answer is written again, everything of it") {
    bench b;
    b.open.changed = {{"a", true}};
    b.saves.save("value", "x", 5s);
    b.saves.drop("gone", true);
    b.saves.note_seen("set", 1'000, "a");
    b.saves.trim_seen("set", 500);
    const auto first = b.flush();
    b.saves.failed();
    CHECK(b.saves.has_work());
    CHECK(b.flush().bytes() == first.bytes());
}

TEST_CASE("what was saved anew meanwhile wins over the failed flush") {
    bench b;
    b.saves.save("value", "old", 5s);
    b.saves.trim_seen("set", 500);
    b.flush();
    b.saves.save("value", "new", 5s);
    b.saves.trim_seen("set", 600);
    b.saves.failed();
    CHECK(b.flush().bytes() == call({"value", "set"}, {"set", "new", "5000", "trim", "600"}));
}

TEST_CASE("an error reply gives its words, and the flush is written again") {
    bench b;
    b.saves.save("a", "x", 5s);
    const auto first = b.flush();
    CHECK(b.saves.replied(refusal("OOM command not allowed")) == "OOM command not allowed");
    CHECK(b.flush().bytes() == first.bytes());
}

TEST_CASE("who has lost the lead forgets what waits and what is under way") {
    bench b;
    b.saves.save("a", "x", 5s);
    b.flush();
    b.saves.save("b", "x", 5s);
    b.saves.clear();
    CHECK_FALSE(b.saves.has_work());
    b.saves.failed();
    CHECK(b.flush().empty());
}

TEST_CASE("where groups keep changing, saved-until follows the oldest that is not written yet") {
    bench b;
    for (int i = 0; i < 1'200; ++i)
        b.open.changed["k" + std::to_string(i)] = true;
    b.open.oldest = at(1s);
    b.flush(2s);
    CHECK(b.finish());
    CHECK(b.saves.saved_until(at(3s)) == at(1s));
    b.open.oldest = at(1500ms);
    b.flush(4s);
    CHECK(b.finish());
    CHECK(b.saves.saved_until(at(4s)) == at(1500ms));
    SUBCASE("and stands still while something has to be written again") {
        b.open.oldest = steady::time_point::min();
        b.open.changed["again"] = true;
        for (int i = 0; i < 1'200; ++i)
            b.open.changed["m" + std::to_string(i)] = true;
        b.flush(5s);
        CHECK(b.finish());
        CHECK(b.saves.saved_until(at(5s)) == at(1500ms));
    }
    SUBCASE("and stands still where Redis has them otherwise than expected") {
        b.flush(5s);
        CHECK(b.saves.replied(unlike({2})).empty());
        CHECK(b.saves.saved_until(at(6s)) == at(1500ms));
    }
}

TEST_CASE("saved-until is now while nothing waits, and stands still while something does") {
    bench b;
    b.saves.save("a", "x", 5s);
    const auto before = b.saves.saved_until(at(1s));
    CHECK(before < at(1s));
    b.flush(2s);
    // Under way is not yet saved.
    CHECK(b.saves.saved_until(at(3s)) == before);
    CHECK(b.finish());
    CHECK(b.saves.saved_until(at(4s)) == at(4s));
    b.saves.save("b", "x", 5s);
    CHECK(b.saves.saved_until(at(5s)) == at(2s));
}

TEST_CASE("a flush that took only a part does not count as saved until then") {
    bench b;
    SUBCASE("of the groups") {
        for (int i = 0; i < 501; ++i)
            b.open.changed.emplace("k" + std::to_string(i), true);
    }
    SUBCASE("of the values, whose ids then wait for the rest") {
        for (int i = 0; i < 1'001; ++i)
            b.saves.save("v" + std::to_string(i), "x", 5s);
        b.saves.note_seen("set", 1'000, "id");
        CHECK_FALSE(has(b.flush(1s), "\r\nid\r\n"));
        b.saves.failed();
    }
    SUBCASE("of what is deleted") {
        for (int i = 0; i < 1'001; ++i)
            b.saves.drop("v" + std::to_string(i), true);
    }
    b.flush(2s);
    CHECK(b.saves.has_work());
    CHECK(b.finish());
    CHECK(b.saves.saved_until(at(3s)) < at(2s));
    b.flush(4s);
    CHECK(b.finish());
    CHECK_FALSE(b.saves.has_work());
    CHECK(b.saves.saved_until(at(5s)) == at(5s));
}

TEST_CASE("what is deleted goes before the contexts, and their positions are still understood") {
    bench b;
    b.saves.drop("context:a", true);
    b.open.changed = {{"a", true}, {"b", true}};
    const auto p = b.flush();
    REQUIRE(p.bytes().find("\r\ncontext\r\n") != std::string::npos);
    CHECK(p.bytes().find("\r\ndelete\r\n") < p.bytes().find("\r\ncontext\r\n"));
    CHECK(b.saves.replied(unlike({4})).empty());
    CHECK(!b.open.changed["a"]);
    CHECK(b.open.changed["b"]);
}

TEST_CASE("contexts wait until all that is deleted has gone before them") {
    bench b;
    for (int i = 0; i < 1'001; ++i)
        b.saves.drop("gone" + std::to_string(i), true);
    b.open.changed = {{"a", true}};
    CHECK(b.flush().bytes().find("\r\ncontext\r\n") == std::string::npos);
    CHECK(b.finish());
    CHECK(b.flush().bytes().find("\r\ncontext\r\n") != std::string::npos);
}
