// Which groups leave next, asked while they wait.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "event/grouper.hpp"
#include "unit/event/seed.hpp"

namespace {

using namespace postrider::event;
using postrider::test::throw_dice;
using std::chrono::seconds;

constexpr std::size_t no_limit = 1'000'000;

steady_time at(int s) {
    return steady_time{} + seconds(s);
}

void add(grouper& g, const std::string& key, int s) {
    std::vector<group> leaving;
    g.add(key, "", "1", at(s), leaving);
    CHECK(leaving.empty());
}

std::string text(const std::vector<upcoming>& next) {
    std::string all;
    for (const auto& n : next)
        all += std::string(n.key) + "*" + std::to_string(n.count) + "@" +
               std::to_string(std::chrono::duration_cast<seconds>(n.due - at(0)).count()) + " ";
    return all;
}

grouping rules(window_kind kind) {
    grouping r;
    r.kind = kind;
    r.window = seconds(15);
    r.cooldown = seconds(5);
    r.max_wait = seconds(40);
    return r;
}

}  // namespace

TEST_CASE("the groups that leave next stand in the order in which they will leave, with what they hold") {
    grouper g(rules(window_kind::fixed));
    CHECK(text(g.next_due(10, no_limit)) == "");
    add(g, "c", 3);
    add(g, "a", 1);
    add(g, "b", 2);
    add(g, "a", 4);
    CHECK(text(g.next_due(10, no_limit)) == "a*2@16 b*1@17 c*1@18 ");
    CHECK(text(g.next_due(2, no_limit)) == "a*2@16 b*1@17 ");
    CHECK(text(g.next_due(0, no_limit)) == "");
}

TEST_CASE("a group that a later event moved stands at its new time, an adopted one once") {
    grouper g(rules(window_kind::sliding));
    add(g, "a", 1);
    add(g, "b", 2);
    add(g, "a", 9);
    group earlier;
    earlier.key = "b";
    earlier.messages = "0";
    earlier.count = 1;
    earlier.opened = at(0);
    earlier.last = at(1);
    g.adopt(earlier);
    CHECK(text(g.next_due(10, no_limit)) == "b*2@17 a*2@24 ");
    CHECK(text(g.next_due(1, no_limit)) == "b*2@17 ");
}

TEST_CASE("a key in its cooldown alone is not named, and looking at keys has an end") {
    grouper g(rules(window_kind::fixed));
    std::vector<group> left;
    for (int i = 0; i < 100; ++i)
        add(g, std::to_string(i), 0);
    g.due(at(15), left);
    CHECK(left.size() == 100);
    add(g, "new", 16);
    CHECK(text(g.next_due(10, no_limit)) == "new*1@31 ");
    CHECK(text(g.next_due(10, 50)) == "");
}

TEST_CASE("a few of very many are found by looking at a few") {
    grouper g(rules(window_kind::fixed));
    for (int i = 0; i < 200'000; ++i)
        add(g, std::to_string(i), i / 1000);
    const auto next = g.next_due(50, 200);
    REQUIRE(next.size() == 50);
    for (const auto& n : next)
        CHECK(n.due == at(15));
}

TEST_CASE("whatever happened, the group named first leaves first, at the time named and no sooner") {
    std::mt19937_64 dice(postrider::test::random_seed());
    for (int round = 0; round < 60; ++round) {
        grouper g(rules(round % 2 == 0 ? window_kind::fixed : window_kind::sliding));
        std::vector<group> left;
        int now = 0;
        for (int step = 0; step < 300; ++step) {
            now += throw_dice(dice, 0, 2);
            g.due(at(now), left);
            g.add(std::to_string(throw_dice(dice, 0, 40)), "", "1", at(now), left);
        }
        const auto all = g.next_due(no_limit, no_limit);
        CHECK(all.size() == g.open_groups());
        const auto some = g.next_due(7, no_limit);
        CHECK(text(some) == text({all.begin(), all.begin() + static_cast<std::ptrdiff_t>(some.size())}));
        while (g.open_groups() > 0) {
            const auto next = g.next_due(1, no_limit);
            REQUIRE(next.size() == 1);
            const std::string key(next[0].key);
            left.clear();
            g.due(next[0].due - std::chrono::nanoseconds(1), left);
            REQUIRE(left.empty());
            g.due(next[0].due, left);
            REQUIRE(!left.empty());
            CHECK(left[0].key == key);
        }
    }
}
