#include "event/numbering.hpp"

#include <doctest/doctest.h>

#include <map>
#include <utility>

#include "seed.hpp"

using postrider::event::hearing;
using postrider::event::marked_number;
using postrider::event::numbering;

namespace {

using markers = std::vector<marked_number>;

// Begins a session with its own marker; returns the number of the event before its first one.
std::uint64_t begin(hearing& h, const std::string& marker) {
    h.gap();
    h.mark(marker);
    return h.last(0);
}

std::uint64_t hear(hearing& h, int events) {
    for (int i = 0; i < events; ++i)
        h.count(0);
    return h.last(0);
}

}  // namespace

TEST_CASE("what was heard is numbered as the leader did, by a marker that both have heard") {
    hearing h(1);
    const auto first = begin(h, "mine");
    hear(h, 9);
    const numbering n(h, 0, {{"before", 3}, {"mine", 100}, {"other", 200}}, 150);
    CHECK(n.of(first + 1) == 101);
    CHECK(n.of(first + 9) == 109);
    CHECK(n.before(first) == 100);
}

TEST_CASE("each session is numbered by a marker of its own") {
    hearing h(1);
    const auto first = begin(h, "a");
    hear(h, 5);
    const auto second = begin(h, "b");
    hear(h, 5);
    const auto third = begin(h, "c");
    // The leader heard everything, twelve events of which were missed here.
    const numbering n(h, 0, {{"a", 10}, {"b", 22}, {"c", 32}}, 40);
    CHECK(n.of(first + 1) == 11);
    CHECK(n.of(first + 5) == 15);
    CHECK(n.of(second + 1) == 23);
    CHECK(n.of(second + 5) == 27);
    CHECK(n.of(third + 1) == 33);
}

TEST_CASE("a leader that has missed something is followed over its gap") {
    hearing h(1);
    const auto first = begin(h, "mine");
    hear(h, 4);
    h.mark("again");
    hear(h, 1);
    const numbering n(h, 0, {{"mine", 7}, {"again", 1'000'000'009}}, 1'000'000'009);
    CHECK(n.of(first + 4) == 11);
    CHECK(n.of(first + 5) == 1'000'000'010);
}

TEST_CASE("what came before the first marker that both have heard is counted backward, and never below 1") {
    hearing h(1);
    const auto first = begin(h, "mine");
    hear(h, 5);
    h.mark("theirs");
    const numbering far(h, 0, {{"theirs", 100}}, 100);
    CHECK(far.of(first + 1) == 96);
    CHECK(far.of(first + 5) == 100);
    const numbering near(h, 0, {{"theirs", 2}}, 100);
    CHECK(near.of(first + 1) == 0);
    CHECK(near.of(first + 3) == 0);
    CHECK(near.of(first + 4) == 1);
    CHECK(near.of(first + 5) == 2);
    CHECK(near.of(first + 6) == 3);
}

TEST_CASE("a session of which the leaders say nothing has no numbers, the next one has") {
    hearing h(1);
    const auto first = begin(h, "a");
    hear(h, 5);
    const auto second = begin(h, "b");
    const numbering n(h, 0, {{"b", 3}}, 3);
    CHECK(n.of(first + 1) == 0);
    CHECK(n.of(first + 5) == 0);
    CHECK_FALSE(n.before(first).has_value());
    CHECK(n.of(second + 1) == 4);
}

TEST_CASE(
    "of a session that goes on and of which the leaders say nothing all is new: behind the highest number") {
    hearing h(1);
    const auto first = begin(h, "a");
    hear(h, 5);
    const auto second = begin(h, "b");
    hear(h, 5);
    const auto third = begin(h, "c");
    const numbering n(h, 0, {{"a", 10}}, 12);
    CHECK(n.of(first + 5) == 15);
    CHECK(n.of(second + 1) == 0);
    CHECK(n.of(third + 1) > 100'000'000);
    const numbering higher(h, 0, {{"a", 10}}, 7'000'000'000);
    CHECK(higher.of(third + 1) > 7'000'000'000);
    const numbering nothing(h, 0, {}, 50);
    CHECK(nothing.of(first + 1) == 0);
    CHECK(nothing.of(third + 1) > 50);
    CHECK(nothing.of(third + 1) < (std::uint64_t{1} << 53));
}

TEST_CASE("a marker whose number goes back is of no use, and the session is new all the same") {
    hearing h(1);
    const auto first = begin(h, "a");
    hear(h, 5);
    const auto second = begin(h, "b");
    const numbering n(h, 0, {{"a", 100}, {"b", 50}}, 200);
    CHECK(n.of(first + 1) == 101);
    CHECK(n.of(second + 1) > 200);
}

TEST_CASE("nothing can be numbered without a process that hears") {
    CHECK(numbering().of(1) == 0);
    CHECK_FALSE(numbering().before(1).has_value());
}

TEST_CASE("one's own markers join those that are saved, by number, and 64 at most") {
    hearing h(1);
    begin(h, "a");
    hear(h, 5);
    h.mark("b");
    const markers saved{{"first", 4}, {"a", 10}, {"last", 17}};
    const numbering n(h, 0, saved, 20);
    CHECK(n.markers(h, 0, saved) == markers{{"first", 4}, {"a", 10}, {"b", 15}, {"last", 17}});
    for (int i = 0; i < 100; ++i) {
        h.count(0);
        h.mark(std::to_string(i));
    }
    const auto all = n.markers(h, 0, saved);
    CHECK(all.size() == 64);
    CHECK(all.back() == marked_number{"99", 115});
    auto more = all;
    numbering::add(more, {"new", 200});
    CHECK(more.size() == 64);
    CHECK(more.back() == marked_number{"new", 200});
    CHECK(more.front() == all[1]);
}

TEST_CASE("markers are read as they were written, and of other text what can be read") {
    const markers some{{"a", 0}, {"b", 18'446'744'073'709'551'615U}};
    CHECK(markers_text(some) == "a 0 b 18446744073709551615");
    CHECK(postrider::event::read_markers(markers_text(some)) == some);
    CHECK(postrider::event::read_markers("").empty());
    CHECK(postrider::event::read_markers("a x b 2 c") == markers{{"b", 2}});
    CHECK(postrider::event::read_markers(" 1 b 99999999999999999999999 c -1").empty());
    std::string many;
    for (int i = 0; i < 1'000; ++i)
        many += "m" + std::to_string(i) + " 1 ";
    CHECK(postrider::event::read_markers(many).back().marker == "m999");
    CHECK(postrider::event::read_markers(many).size() == 64);
}

namespace {

// Replicas that hear one stream of events and markers, lose their sessions and lead by turns. `truth` is what
// the leaders have called each event.
struct replica {
    hearing heard{1};
    bool listens = false;
    std::map<std::uint64_t, std::uint64_t> number_of;  // by event, here
    numbering numbers;                                 // while it leads
};

struct stream {
    std::vector<replica> replicas{3};
    replica* leader = nullptr;
    std::uint64_t events = 0;
    std::map<std::uint64_t, std::uint64_t> truth;
    markers saved;
    std::uint64_t highest = 0;

    void mark(const std::string& name) {
        for (auto& r : replicas)
            if (r.listens) r.heard.mark(name);
        if (leader == nullptr || !leader->listens) return;
        const auto number = leader->numbers.before(leader->heard.last(0));
        REQUIRE(number.has_value());
        numbering::add(saved, {name, *number});
    }
    void say() {
        ++events;
        for (auto& r : replicas)
            if (r.listens) r.number_of[events] = r.heard.count(0);
        if (leader == nullptr || !leader->listens) return;
        truth[events] = leader->numbers.of(leader->heard.last(0));
        highest = std::max(highest, truth[events]);
    }
    void connect(std::size_t i, const std::string& marker) {
        if (!std::exchange(replicas[i].listens, true)) replicas[i].heard.gap();
        mark(marker);
    }
    // What one of them would call the events that it has heard.
    void check(const replica& r) const {
        const numbering n(r.heard, 0, saved, highest);
        std::uint64_t last = 0;
        for (const auto& [event, here] : r.number_of) {
            const auto number = n.of(here);
            const auto there = truth.find(event);
            if (there != truth.end() && number != 0) REQUIRE(number == there->second);
            REQUIRE(number < (std::uint64_t{1} << 53));
            if (number == 0) continue;
            REQUIRE(number > last);
            last = number;
        }
    }
    void take_over(std::size_t i) {
        auto& r = replicas[i];
        if (!r.listens) return;
        check(r);
        r.numbers = numbering(r.heard, 0, saved, highest);
        saved = r.numbers.markers(r.heard, 0, saved);
        leader = &r;
        // What it held is taken now.
        for (const auto& [event, here] : r.number_of) {
            const auto number = r.numbers.of(here);
            if (number == 0 || !truth.try_emplace(event, number).second) continue;
            highest = std::max(highest, number);
        }
    }
};

}  // namespace

TEST_CASE("whoever loses its session, and whoever leads, an event is never called by another one's number") {
    std::mt19937_64 dice(postrider::test::random_seed());
    using postrider::test::throw_dice;
    for (int round = 0; round < 300; ++round) {
        stream s;
        int marker = 0;
        s.connect(0, "first");
        s.take_over(0);
        for (int step = 0; step < 120; ++step) {
            const auto i = static_cast<std::size_t>(throw_dice(dice, 0, 2));
            const int what = throw_dice(dice, 0, 99);
            if (what < 60)
                s.say();
            else if (what < 75)
                s.connect(i, "m" + std::to_string(++marker));
            else if (what < 90)
                s.replicas[i].listens = false;
            else
                s.take_over(i);
            for (const auto& r : s.replicas)
                s.check(r);
        }
    }
}
