// The cache in memory against a plain reference, with random commands.
#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "redis/memory_cache.hpp"
#include "unit/event/seed.hpp"

using namespace std::chrono_literals;
using postrider::redis::memory_cache;

namespace {

// A list in the order of use, walked through for everything.
struct model {
    struct item {
        std::string key, value;
        std::optional<memory_cache::time> expires;
    };
    std::vector<item> items;  // the latest in front
    // What Redis holds: written through changes() alone.
    std::map<std::string, std::string> redis;
    std::map<std::string, std::string> last;  // what was written, evicted or not
    std::size_t most = 0;

    void expire(memory_cache::time now) {
        for (const auto& i : items)
            if (i.expires && *i.expires <= now) last.erase(i.key);
        std::erase_if(items, [&](const item& i) { return i.expires && *i.expires <= now; });
    }
    bool erase(const std::string& key) {
        last.erase(key);
        return std::erase_if(items, [&](const item& i) { return i.key == key; }) != 0;
    }
    void set(item i) {
        erase(i.key);
        last[i.key] = i.value;
        items.insert(items.begin(), std::move(i));
        if (items.size() > most) items.pop_back();
    }
    std::optional<std::string> get(const std::string& key) {
        const auto at = std::find_if(items.begin(), items.end(), [&](const item& i) { return i.key == key; });
        if (at == items.end()) return std::nullopt;
        std::rotate(items.begin(), at, at + 1);
        return items.front().value;
    }
    // Redis holds all that the memory holds, and of what was evicted the last value or none, unless more was
    // deleted than is remembered.
    bool redis_is_right(bool remembered) const {
        return std::all_of(
                   items.begin(), items.end(),
                   [&](const item& i) { return redis.contains(i.key) && redis.at(i.key) == i.value; }) &&
               (!remembered || std::all_of(redis.begin(), redis.end(), [&](const auto& r) {
                   return last.contains(r.first) && last.at(r.first) == r.second;
               }));
    }
};

// A part of the changes reaches Redis; some of the answers are lost.
void tell(memory_cache& c, model& m, memory_cache::time now, std::mt19937_64& dice, bool all) {
    for (const auto& each : c.changes(all ? 1'000 : 5, 1 << 20, now)) {
        if (each.value)
            m.redis[each.key] = *each.value;
        else
            m.redis.erase(each.key);
        if (all || postrider::test::throw_dice(dice, 0, 3) != 0) c.settled(each.key, each.number);
    }
}

}  // namespace

TEST_CASE("random commands do what a plain reference does, and Redis ends with the same values") {
    std::mt19937_64 dice(postrider::test::random_seed());
    using postrider::test::throw_dice;
    int all_remembered = 0;
    for (int round = 0; round < 60; ++round) {
        model m;
        // Expiry by time alone would make the two evict differently.
        const bool timed = round % 2 == 0;
        m.most = timed ? 1'000 : 12;
        memory_cache c(m.most, 1 << 20);
        auto now = memory_cache::time(1h);
        bool remembered = true;
        for (int step = 0; step < 800; ++step) {
            now += std::chrono::milliseconds(throw_dice(dice, 0, 3));
            m.expire(now);
            const auto key = "k" + std::to_string(throw_dice(dice, 0, 19));
            switch (throw_dice(dice, 0, 6)) {
                case 0:
                case 1: {
                    std::optional<memory_cache::time> expires;
                    if (timed && throw_dice(dice, 0, 1) == 0)
                        expires = now + std::chrono::milliseconds(throw_dice(dice, 1, 60));
                    const auto value = std::to_string(step);
                    c.set(key, value, expires, c.next(), now);
                    m.set({key, value, expires});
                    break;
                }
                case 2:
                    REQUIRE(c.erase(key, c.next(), now) == m.erase(key));
                    break;
                case 3:
                    c.sweep(now, static_cast<std::size_t>(throw_dice(dice, 0, 4)));
                    break;
                case 4:
                    tell(c, m, now, dice, false);
                    break;
                default:
                    REQUIRE(c.get(key, now) == m.get(key));
            }
            auto keys = c.keys("*", 1'000, now);
            REQUIRE(keys.size() == m.items.size());
            if (c.deleted() == m.most) remembered = false;
        }
        // The way back: all that is left is told, and Redis holds what the memory holds.
        while (c.has_changes())
            tell(c, m, now, dice, true);
        m.expire(now);
        c.sweep(now, 1'000);
        while (c.has_changes())
            tell(c, m, now, dice, true);
        REQUIRE(m.redis_is_right(remembered));
        if (!timed && remembered) ++all_remembered;
    }
    // Or the bound on values would go untried.
    CHECK(all_remembered > 0);
}
