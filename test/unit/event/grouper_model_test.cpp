#include <doctest/doctest.h>

#include <algorithm>
#include <list>
#include <map>
#include <string>
#include <vector>

#include "event/grouper.hpp"
#include "unit/event/seed.hpp"

namespace {

using namespace postrider::event;
using postrider::test::throw_dice;

struct event_seen {
    std::string id;
    std::string payload;
    steady_time time;
};

bool earlier(const event_seen& a, const event_seen& b) {
    return a.time < b.time;
}

// The rules once more, the slow way: groups as lists of events, everything computed from them anew.
class slow_grouper {
 public:
    struct open_group {
        std::string key;
        std::vector<event_seen> events;
        int number = 0;  // of all groups opened so far

        // Adopted events stand in front, but need not be older.
        steady_time opened() const { return std::min_element(events.begin(), events.end(), earlier)->time; }
        steady_time last() const { return std::max_element(events.begin(), events.end(), earlier)->time; }
        std::size_t bytes() const {
            std::size_t sum = events.size() - 1;
            for (const auto& e : events)
                sum += e.payload.size();
            return sum;
        }
    };

    explicit slow_grouper(const grouping& rules) : rules_(rules) {}

    void add(const std::string& key, const event_seen& e, std::vector<open_group>& leaving) {
        auto g = find(key);
        if (g != open_.end() && g->bytes() + 1 + e.payload.size() > rules_.max_bytes) {
            leave(g, e.time, leaving);
            g = open_.end();
        }
        if (g == open_.end()) g = open_.insert(open_.end(), open_group{key, {}, opened_++});
        g->events.push_back(e);
        if (g->events.size() >= rules_.max_events) leave(g, e.time, leaving);
    }

    void adopt(const open_group& before) {
        const auto g = find(before.key);
        if (g == open_.end()) {
            open_.push_back(before);
            open_.back().number = opened_++;
        } else {
            g->events.insert(g->events.begin(), before.events.begin(), before.events.end());
        }
    }

    void due(steady_time now, std::vector<open_group>& leaving) {
        open_.sort([](const auto& a, const auto& b) { return a.number < b.number; });
        open_.sort([](const auto& a, const auto& b) { return a.opened() < b.opened(); });
        open_.sort([this](const auto& a, const auto& b) { return leaves(a) < leaves(b); });
        while (!open_.empty() && leaves(open_.front()) <= now)
            leave(open_.begin(), now, leaving);
    }

    bool anything_before(steady_time t) const {
        return std::any_of(open_.begin(), open_.end(), [&](const auto& g) { return leaves(g) < t; });
    }
    std::size_t size() const { return open_.size(); }
    std::size_t bytes() const {
        std::size_t sum = 0;
        for (const auto& g : open_)
            sum += g.bytes();
        return sum;
    }

 private:
    using place = std::list<open_group>::iterator;

    place find(const std::string& key) {
        return std::find_if(open_.begin(), open_.end(), [&](const auto& g) { return g.key == key; });
    }

    steady_time leaves(const open_group& g) const {
        auto t = g.opened() + rules_.window;
        if (rules_.kind == window_kind::sliding) {
            t = g.last() + rules_.window;
            if (t > g.opened() + rules_.max_wait) t = g.opened() + rules_.max_wait;
        }
        const auto left = departures_.find(g.key);
        if (left != departures_.end() && left->second + rules_.cooldown > t)
            t = left->second + rules_.cooldown;
        return t;
    }

    void leave(place g, steady_time now, std::vector<open_group>& leaving) {
        departures_[g->key] = now;
        leaving.push_back(*g);
        open_.erase(g);
    }

    grouping rules_;
    std::list<open_group> open_;
    int opened_ = 0;
    std::map<std::string, steady_time> departures_;
};

std::string describe(const std::vector<group>& groups) {
    std::string all;
    for (const auto& g : groups) {
        all += g.key + "*" + std::to_string(g.count) + "[" + g.messages + "]";
        for (const auto& id : g.ids)
            all += id + " ";
    }
    return all;
}

std::string describe(const std::vector<slow_grouper::open_group>& groups) {
    std::string all;
    for (const auto& g : groups) {
        all += g.key + "*" + std::to_string(g.events.size()) + "[";
        for (const auto& e : g.events)
            all += (all.back() == '[' ? "" : ",") + e.payload;
        all += "]";
        for (const auto& e : g.events)
            all += e.id + " ";
    }
    return all;
}

// What an earlier process left behind: one to three events before `now`.
slow_grouper::open_group left_behind(std::mt19937_64& dice, const std::string& key, steady_time now,
                                     int& number) {
    slow_grouper::open_group g{key, {}, 0};
    auto time = now - milliseconds(throw_dice(dice, 0, 400));
    for (int i = throw_dice(dice, 1, 3); i > 0; --i) {
        const auto name = std::to_string(number++);
        g.events.push_back({"i" + name, "\"old" + name + "\"", time});
        time = std::min(now, time + milliseconds(throw_dice(dice, 0, 50)));
    }
    return g;
}

group as_group(const slow_grouper::open_group& from) {
    group g;
    g.key = from.key;
    g.count = static_cast<std::uint32_t>(from.events.size());
    g.opened = from.events.front().time;
    g.last = from.events.back().time;
    for (const auto& e : from.events) {
        g.messages += (g.messages.empty() ? "" : ",") + e.payload;
        g.ids.push_back(e.id);
    }
    return g;
}

grouping random_rules(std::mt19937_64& dice) {
    grouping r;
    r.kind = throw_dice(dice, 0, 1) == 0 ? window_kind::fixed : window_kind::sliding;
    r.window = milliseconds(throw_dice(dice, 0, 150));
    r.max_wait = milliseconds(throw_dice(dice, 50, 400));
    r.cooldown = milliseconds(throw_dice(dice, 0, 4) == 0 ? 0 : throw_dice(dice, 1, 200));
    r.max_events = static_cast<std::size_t>(throw_dice(dice, 1, 12));
    r.max_bytes = static_cast<std::size_t>(throw_dice(dice, 10, 200));
    return r;
}

// Deadlines may be early, but a departure must never lie before the next one.
void check_state(const grouper& fast, const slow_grouper& slow) {
    REQUIRE(fast.open_groups() == slow.size());
    REQUIRE(fast.open_bytes() == slow.bytes());
    const auto next = fast.next_deadline();
    REQUIRE((slow.size() == 0 || next));
    if (next) REQUIRE_FALSE(slow.anything_before(*next));
}

void compare(std::mt19937_64& dice, int steps, bool adopting) {
    const auto rules = random_rules(dice);
    grouper fast(rules);
    slow_grouper slow(rules);
    auto now = steady_time{} + std::chrono::hours(1);
    int number = 0;
    for (int step = 0; step < steps; ++step) {
        const auto key = "k" + std::to_string(throw_dice(dice, 0, 7));
        std::vector<group> left;
        std::vector<slow_grouper::open_group> expected;
        const int what = throw_dice(dice, 0, 99);
        if (what < 55) {
            const auto name = std::to_string(number++);
            const event_seen e{
                "i" + name, std::string(static_cast<std::size_t>(throw_dice(dice, 0, 30)), 'x') + name, now};
            fast.add(key, e.id, e.payload, now, left);
            slow.add(key, e, expected);
        } else if (adopting && what < 60) {
            const auto before = left_behind(dice, key, now, number);
            fast.adopt(as_group(before));
            slow.adopt(before);
        } else {
            now += milliseconds(what < 97 ? throw_dice(dice, 0, 40) : throw_dice(dice, 100, 2'000));
            fast.due(now, left);
            slow.due(now, expected);
        }
        if (adopting) {
            // Whether a past cooldown still orders groups that are overdue is left open.
            const auto by_key = [](const auto& a, const auto& b) { return a.key < b.key; };
            std::stable_sort(left.begin(), left.end(), by_key);
            std::stable_sort(expected.begin(), expected.end(), by_key);
        }
        REQUIRE(describe(left) == describe(expected));
        check_state(fast, slow);
    }
    std::vector<group> left;
    fast.due(now + std::chrono::hours(1), left);
    fast.due(now + std::chrono::hours(2), left);
    REQUIRE(fast.open_groups() == 0);
    REQUIRE_FALSE(fast.next_deadline());
}

}  // namespace

TEST_CASE("groups leave at the same step and in the same order as in a slow model") {
    std::mt19937_64 dice(postrider::test::random_seed());
    for (int round = 0; round < 60; ++round)
        compare(dice, 800, false);
}

TEST_CASE("groups that an earlier process left behind join in as in a slow model") {
    std::mt19937_64 dice(postrider::test::random_seed());
    for (int round = 0; round < 60; ++round)
        compare(dice, 800, true);
}
