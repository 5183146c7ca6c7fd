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
using postrider::redis::reply;
using postrider::redis::saver;

namespace {

steady::time_point at(std::chrono::milliseconds t) {
    return steady::time_point(1h + t);
}

reply fine() {
    return {reply::kind::status, "OK", 0, {}};
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
    std::map<std::string, bool> changed;  // by key; true: waits to be shown

    open_groups view() {
        return {[this](std::size_t limit, const open_groups::visitor& visit) {
                    std::size_t shown = 0;
                    for (auto& [key, waits] : changed) {
                        if (!waits || shown == limit) continue;
                        waits = false;
                        ++shown;
                        visit(0, context_update{key, "{}", 0, 1, at(0s), at(0s)});
                    }
                    return shown;
                },
                [this] {
                    for (const auto& [key, waits] : changed)
                        if (waits) return true;
                    return false;
                },
                [this](std::size_t, std::string_view key) { changed[std::string(key)] = true; }};
    }
};

struct bench {
    groups open;
    saver saves{open.view(), {"bot_events"}, 60s};

    // The commands of one flush, as Redis gets them.
    pipeline flush(std::chrono::milliseconds now = 0ms) {
        pipeline p;
        saves.encode(p, "sha", at(now), wall::time_point(1h));
        return p;
    }
    bool finish(const pipeline& p) {
        const std::vector<reply> all(p.size(), fine());
        return saves.replied(all).empty();
    }
};

bool has(const pipeline& p, std::string_view words) {
    return p.bytes().find(words) != std::string::npos;
}

std::string command(std::initializer_list<std::string_view> words) {
    pipeline p;
    p.add(words);
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
              "EVALSHA\r\n$3\r\nsha\r\n$1\r\n2\r\n$9\r\ncontext:a\r\n$9\r\ncontext:b\r\n$5\r\n60000\r\n$"
              "1\r\n0\r\n"));
    CHECK(has(p, R"({"route":"bot_events",)"));
    CHECK(has(p, "{}]}"));
    CHECK_FALSE(b.saves.has_work());
}

TEST_CASE("contexts that stand otherwise in Redis are written again") {
    bench b;
    b.open.changed = {{"a", true}, {"b", true}};
    b.flush();
    const std::vector<reply> answers{unlike({2})};
    CHECK(b.saves.replied(answers).empty());
    CHECK_FALSE(b.open.changed["a"]);
    CHECK(b.open.changed["b"]);
    CHECK(b.saves.has_work());
}

TEST_CASE("values are set with their time to live or for ever, and the last one under a name counts") {
    bench b;
    b.saves.save("delay", "old", 5s);
    b.saves.save("delay", "new", 7s);
    b.saves.save("mark", "text", 0ms);
    const auto p = b.flush();
    CHECK(p.bytes() == command({"SET", "delay", "new", "PX", "7000"}) + command({"SET", "mark", "text"}));
    CHECK(b.finish(p));
    CHECK(b.flush().empty());
}

TEST_CASE("a dropped value is not written, and what stands in Redis is deleted where that is wanted") {
    bench b;
    b.saves.save("left", "x", 5s);
    b.saves.drop("left", false);
    CHECK_FALSE(b.saves.has_work());
    b.saves.save("cancelled", "x", 5s);
    b.saves.drop("cancelled", true);
    CHECK(b.flush().bytes() == command({"UNLINK", "cancelled"}));
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
    CHECK(b.flush().bytes() == command({"ZADD", "set", "1000", "a"}) + command({"ZADD", "set", "2000", "b"}) +
                                   command({"ZREMRANGEBYSCORE", "set", "-inf", "(500"}));
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
    const auto p = b.flush();
    CHECK(p.size() == 2);
    CHECK(has(p, "new"));
    CHECK(has(p, "(600"));
}

TEST_CASE("an error reply gives its words, and the flush is written again") {
    bench b;
    b.saves.save("a", "x", 5s);
    b.saves.save("b", "x", 5s);
    b.flush();
    const std::vector<reply> answers{fine(), refusal("OOM command not allowed")};
    CHECK(b.saves.replied(answers) == "OOM command not allowed");
    CHECK(b.flush().size() == 2);
}

TEST_CASE("saved-until is now while nothing waits, and stands still while something does") {
    bench b;
    b.saves.save("a", "x", 5s);
    const auto before = b.saves.saved_until(at(1s));
    CHECK(before < at(1s));
    const auto p = b.flush(2s);
    // Under way is not yet saved.
    CHECK(b.saves.saved_until(at(3s)) == before);
    CHECK(b.finish(p));
    CHECK(b.saves.saved_until(at(4s)) == at(4s));
    b.saves.save("b", "x", 5s);
    CHECK(b.saves.saved_until(at(5s)) == at(2s));
}

TEST_CASE("a flush that took only a part of the groups does not count as saved until then") {
    bench b;
    for (int i = 0; i < 501; ++i)
        b.open.changed.emplace("k" + std::to_string(i), true);
    const auto p = b.flush(2s);
    CHECK(b.saves.has_work());
    const std::vector<reply> answers{unlike({})};
    CHECK(b.saves.replied(answers).empty());
    CHECK(b.saves.saved_until(at(3s)) < at(2s));
    b.flush(4s);
    CHECK(b.saves.replied(answers).empty());
    CHECK(b.saves.saved_until(at(5s)) == at(5s));
}
