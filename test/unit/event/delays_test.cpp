#include "event/delays.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "unit/event/seed.hpp"

namespace {

using namespace postrider::event;
using postrider::test::throw_dice;

steady_time at(int ms) {
    return steady_time{} + milliseconds(ms);
}

delayed make(std::string_view key, std::string_view id, int due) {
    delayed d;
    d.key = key;
    d.id = id;
    d.due = at(due);
    return d;
}

std::string ids(const std::vector<delayed>& all) {
    std::string text;
    for (const auto& d : all)
        text += d.id + " ";
    return text;
}

delaying between(int min, int max, distribution spread = distribution::uniform) {
    delaying rules;
    rules.min = milliseconds(min);
    rules.max = milliseconds(max);
    rules.spread = spread;
    return rules;
}

// How many of 40,000 seeds fall into each quarter of [0, 999].
std::vector<int> quarters(distribution spread) {
    std::vector<int> counts(4);
    for (std::uint64_t seed = 0; seed < 40'000; ++seed) {
        const auto wait = choose_delay(between(0, 999, spread), seed).wait.count();
        REQUIRE(wait >= 0);
        REQUIRE(wait <= 999);
        ++counts[static_cast<std::size_t>(wait / 250)];
    }
    return counts;
}

bool near(int count, int expected) {
    return count > expected - 600 && count < expected + 600;
}

}  // namespace

TEST_CASE("the same seed gets the same delay, on every platform") {
    const auto first = choose_delay(between(1'000, 60'000), 42);
    CHECK(first.decision == delay_decision::scheduled);
    CHECK(first.wait == choose_delay(between(1'000, 60'000), 42).wait);
    CHECK(first.wait.count() == 10'434);
    CHECK(choose_delay(between(1'000, 60'000, distribution::triangular), 42).wait.count() == 13'936);
}

TEST_CASE("uniform delays fill each quarter of the range alike") {
    for (const int count : quarters(distribution::uniform))
        CHECK(near(count, 10'000));
}

TEST_CASE("triangular delays have their mode in the middle") {
    const auto counts = quarters(distribution::triangular);
    CHECK(near(counts[0], 5'000));
    CHECK(near(counts[1], 15'000));
    CHECK(near(counts[2], 15'000));
    CHECK(near(counts[3], 5'000));
}

TEST_CASE("both ends of the range are reached and never passed") {
    bool low = false;
    bool high = false;
    for (std::uint64_t seed = 0; seed < 1'000; ++seed) {
        const auto wait = choose_delay(between(5, 7), seed).wait.count();
        CHECK(wait >= 5);
        CHECK(wait <= 7);
        low = low || wait == 5;
        high = high || wait == 7;
    }
    CHECK(low);
    CHECK(high);
}

TEST_CASE("a range of one value, or turned around, gives its minimum") {
    CHECK(choose_delay(between(70, 70), 1).wait.count() == 70);
    CHECK(choose_delay(between(70, 20), 1).wait.count() == 70);
}

TEST_CASE("the probability decides how many events are scheduled") {
    auto rules = between(0, 10);
    const auto scheduled = [&rules] {
        int count = 0;
        for (std::uint64_t seed = 0; seed < 10'000; ++seed) {
            if (choose_delay(rules, seed).decision == delay_decision::scheduled) ++count;
        }
        return count;
    };
    CHECK(scheduled() == 10'000);
    rules.probability = 0;
    CHECK(scheduled() == 0);
    rules.probability = 0.3;
    CHECK(near(scheduled(), 3'000));
}

TEST_CASE("whether an event is scheduled says nothing about how long it waits") {
    auto rules = between(0, 999);
    rules.probability = 0.25;
    double sum = 0;
    int count = 0;
    for (std::uint64_t seed = 0; seed < 40'000; ++seed) {
        const auto choice = choose_delay(rules, seed);
        if (choice.decision == delay_decision::skipped) continue;
        sum += static_cast<double>(choice.wait.count());
        ++count;
    }
    CHECK(sum / count > 450);
    CHECK(sum / count < 550);
}

TEST_CASE("delayed events leave in the order of their time, then of their arrival") {
    delays waiting;
    CHECK_FALSE(waiting.next_deadline());
    waiting.add(make("a", "3", 30));
    waiting.add(make("b", "1", 10));
    waiting.add(make("a", "2", 10));
    CHECK(waiting.next_deadline() == at(10));
    std::vector<delayed> leaving;
    waiting.due(at(9), leaving);
    CHECK(leaving.empty());
    waiting.due(at(30), leaving);
    CHECK(ids(leaving) == "1 2 3 ");
    CHECK(waiting.size() == 0);
}

TEST_CASE("cancelling takes all events of the key and no other") {
    delays waiting;
    waiting.add(make("ab", "1", 10));
    waiting.add(make("a", "2", 20));
    waiting.add(make("b", "3", 15));
    waiting.add(make("a", "4", 5));
    std::vector<delayed> cancelled;
    waiting.cancel("a", cancelled);
    CHECK(ids(cancelled) == "4 2 ");
    waiting.cancel("a", cancelled);
    waiting.cancel("", cancelled);
    CHECK(cancelled.size() == 2);
    std::vector<delayed> leaving;
    waiting.take_all(leaving);
    CHECK(ids(leaving) == "1 3 ");
}

TEST_CASE("cancelling up to a number leaves what came later, and takes what is not counted") {
    delays waiting;
    std::uint64_t number = 0;
    for (const auto* id : {"uncounted", "1", "2", "3"}) {
        auto d = make("a", id, 10);
        d.number = number++;
        waiting.add(std::move(d));
    }
    std::vector<delayed> cancelled;
    waiting.cancel("a", cancelled, 2);
    CHECK(ids(cancelled) == "uncounted 1 2 ");
    waiting.cancel("a", cancelled, 2);
    CHECK(cancelled.size() == 3);
    waiting.cancel("a", cancelled);
    CHECK(ids(cancelled) == "uncounted 1 2 3 ");
    CHECK(waiting.size() == 0);
}

TEST_CASE("taking all leaves nothing behind, also for later cancellations") {
    delays waiting;
    waiting.add(make("a", "2", 20));
    waiting.add(make("a", "1", 10));
    std::vector<delayed> leaving;
    waiting.take_all(leaving);
    CHECK(ids(leaving) == "1 2 ");
    CHECK_FALSE(waiting.next_deadline());
    waiting.cancel("a", leaving);
    CHECK(leaving.size() == 2);
}

TEST_CASE("everything that waits is visited in order, as it was added") {
    delays waiting;
    auto d = make("a", "1", 10);
    d.handle = 7;
    d.payload = "{}";
    d.token = "t";
    waiting.add(d);
    waiting.add(make("b", "0", 5));
    std::vector<delayed> seen;
    waiting.for_each([&seen](const delayed& each) { seen.push_back(each); });
    CHECK(ids(seen) == "0 1 ");
    CHECK(seen[1].handle == 7);
    CHECK(seen[1].payload == "{}");
    CHECK(seen[1].token == "t");
    CHECK(waiting.size() == 2);
}

TEST_CASE("the next ones are shown in order, and no more than asked for") {
    delays waiting;
    for (const int due : {3, 1, 2}) {
        delayed d;
        d.id = std::to_string(due);
        d.due = steady_time{} + std::chrono::seconds(due);
        waiting.add(d);
    }
    std::vector<delayed> seen;
    const auto see = [&seen](const delayed& each) { seen.push_back(each); };
    waiting.visit_next(2, see);
    CHECK(ids(seen) == "1 2 ");
    waiting.visit_next(9, see);
    CHECK(ids(seen) == "1 2 1 2 3 ");
    CHECK(waiting.size() == 3);
}

TEST_CASE("delays behave as a list that is searched from end to end") {
    std::mt19937_64 dice(postrider::test::random_seed());
    delays waiting;
    std::vector<delayed> slow;  // kept in the order of due, then arrival
    int now = 0;
    for (int step = 0; step < 20'000; ++step) {
        std::vector<delayed> left;
        std::vector<delayed> expected;
        const auto move_if = [&](auto matches) {
            std::copy_if(slow.begin(), slow.end(), std::back_inserter(expected), matches);
            slow.erase(std::remove_if(slow.begin(), slow.end(), matches), slow.end());
        };
        const auto key = "k" + std::to_string(throw_dice(dice, 0, 20));
        const int what = throw_dice(dice, 0, 9);
        if (what < 6) {
            const auto d = make(key, std::to_string(step), now + throw_dice(dice, 0, 60));
            waiting.add(d);
            const auto later = [&d](const delayed& other) { return other.due > d.due; };
            slow.insert(std::find_if(slow.begin(), slow.end(), later), d);
        } else if (what < 8) {
            waiting.cancel(key, left);
            move_if([&key](const delayed& d) { return d.key == key; });
        } else {
            now += throw_dice(dice, 0, 20);
            waiting.due(at(now), left);
            move_if([now](const delayed& d) { return d.due <= at(now); });
        }
        REQUIRE(ids(left) == ids(expected));
        REQUIRE(waiting.size() == slow.size());
        if (!slow.empty()) REQUIRE(waiting.next_deadline() == slow.front().due);
    }
}
