#include "redis/memory_cache.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "redis/cache.hpp"

using namespace std::chrono_literals;
using postrider::redis::memory_cache;

namespace {

constexpr memory_cache::time at(std::chrono::milliseconds t) {
    return memory_cache::time(1h + t);
}

void put(memory_cache& c, const std::string& key, std::string value, memory_cache::time now = at(0ms)) {
    c.set(key, std::move(value), std::nullopt, c.next(), now);
}

std::string told(const std::vector<memory_cache::change>& all) {
    std::string text;
    for (const auto& c : all) {
        text += c.key + (c.value ? "=" + *c.value : " gone");
        if (c.time_to_live) text += " for " + std::to_string(c.time_to_live->count());
        text += "; ";
    }
    return text;
}

std::string changes(memory_cache& c, memory_cache::time now = at(0ms)) {
    return told(c.changes(1'000, 1 << 20, now));
}

}  // namespace

TEST_CASE("while Redis is away 10,000 values, or 100 MB, are kept, unless told otherwise") {
    const postrider::redis::cache_settings s;
    CHECK(s.entries == 10'000);
    CHECK(s.bytes == 100'000'000);
}

TEST_CASE("a value is there until it is deleted or its time is over") {
    memory_cache c(10, 1 << 20);
    CHECK(!c.get("a", at(0ms)));
    put(c, "a", "1");
    c.set("b", "2", at(100ms), c.next(), at(0ms));
    CHECK(c.get("a", at(50ms)) == "1");
    CHECK(c.get("b", at(99ms)) == "2");
    CHECK(!c.get("b", at(100ms)));
    CHECK(c.keys("*", 10, at(100ms)) == std::vector<std::string>{"a"});
    CHECK(c.erase("a", c.next(), at(100ms)));
    CHECK(!c.erase("a", c.next(), at(100ms)));
    CHECK(!c.erase("b", c.next(), at(100ms)));
    CHECK(!c.get("a", at(100ms)));
    CHECK(c.entries() == 0);
    // Written anew, it has no end any more.
    put(c, "b", "3", at(100ms));
    CHECK(c.get("b", at(1h)) == "3");
    CHECK(c.sweep(at(1h), 10) == 0);
}

TEST_CASE("expired entries are freed in small steps") {
    memory_cache c(1'000, 1 << 20);
    for (int i = 0; i < 100; ++i)
        c.set(std::to_string(i), "x", at(10ms), c.next(), at(0ms));
    CHECK(c.sweep(at(9ms), 30) == 0);
    CHECK(c.sweep(at(10ms), 30) == 30);
    CHECK(c.entries() == 70);
    CHECK(c.sweep(at(10ms), 1'000) == 70);
    CHECK(c.entries() == 0);
}

TEST_CASE("the bounds hold, and what was used least recently goes first") {
    memory_cache c(3, 1 << 20);
    for (const auto* key : {"a", "b", "c"})
        put(c, key, key);
    CHECK(c.get("a", at(0ms)));
    put(c, "d", "d");
    CHECK(c.evictions() == 1);
    CHECK(!c.get("b", at(0ms)));
    CHECK(c.get("a", at(0ms)));
    CHECK(c.entries() == 3);

    memory_cache small(1'000, 10'000);
    for (int i = 0; i < 100; ++i)
        put(small, std::to_string(i), std::string(1'000, 'x'));
    CHECK(small.bytes() <= 10'000);
    CHECK(small.entries() >= 3);
    CHECK(small.get("99", at(0ms)));
    // One that can never fit drives nobody out, and the value before it is gone too.
    const auto before = small.entries();
    put(small, "99", std::string(20'000, 'y'));
    CHECK(!small.get("99", at(0ms)));
    CHECK(small.entries() == before - 1);
}

TEST_CASE("what Redis must be told: the last value with its remaining time, or that there is none") {
    memory_cache c(2, 1 << 20);
    c.erase("deleted", c.next(), at(0ms));
    c.set("timed", "1", at(100ms), c.next(), at(0ms));
    put(c, "kept", "old");
    put(c, "kept", "new");
    CHECK(changes(c, at(40ms)) == "deleted gone; timed=1 for 60; kept=new; ");
    // Expired, also where nobody has swept yet, or evicted: Redis may hold an older value.
    CHECK(changes(c, at(100ms)) == "deleted gone; timed gone; kept=new; ");
    put(c, "x", "x", at(50ms));
    CHECK(changes(c, at(50ms)) == "deleted gone; kept=new; x=x; timed gone; ");
}

TEST_CASE("what Redis has is told no more, but for what changed since") {
    memory_cache c(10, 1 << 20);
    put(c, "a", "1");
    put(c, "b", "1");
    c.erase("c", c.next(), at(0ms));
    const auto first = c.changes(1'000, 1 << 20, at(0ms));
    put(c, "a", "2");
    for (const auto& each : first)
        c.settled(each.key, each.number);
    CHECK(changes(c) == "a=2; ");
    CHECK(c.get("b", at(0ms)) == "1");
    CHECK(c.deleted() == 0);
    c.settled("a", c.changes(1, 1, at(0ms)).front().number);
    CHECK(!c.has_changes());
    CHECK(c.entries() == 2);
    c.clear();
    CHECK(c.bytes() == 0);
}

TEST_CASE("a part of the changes has the bounds asked for, and at least one") {
    memory_cache c(100, 1 << 20);
    for (int i = 0; i < 10; ++i)
        put(c, std::to_string(i), std::string(1'000, 'x'));
    CHECK(c.changes(3, 1 << 20, at(0ms)).size() == 3);
    CHECK(c.changes(100, 3'000, at(0ms)).size() == 3);
    CHECK(c.changes(100, 1, at(0ms)).size() == 1);
}

TEST_CASE("a change that comes late does not undo a newer one") {
    memory_cache c(10, 1 << 20);
    const auto early = c.next();
    const auto late = c.next();
    c.set("a", "new", std::nullopt, late, at(0ms));
    c.set("a", "old", std::nullopt, early, at(0ms));
    CHECK(c.get("a", at(0ms)) == "new");
    CHECK(!c.erase("a", early, at(0ms)));
    CHECK(c.get("a", at(0ms)) == "new");
    const auto set = c.next();
    c.erase("a", c.next(), at(0ms));
    c.set("a", "old", std::nullopt, set, at(0ms));
    CHECK(!c.get("a", at(0ms)));
}
