#include "event/hearing.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <set>

#include "seed.hpp"

using postrider::event::hearing;
using postrider::event::marked_number;

namespace {

std::optional<std::uint64_t> at(const hearing& h, std::string_view marker, std::size_t channel) {
    for (const auto& m : h.markers(channel))
        if (m.marker == marker) return m.number;
    return std::nullopt;
}

// Numbers up to done[channel]; returns how many such were handed over.
std::size_t forget_done(hearing& h, const std::vector<std::uint64_t>& done) {
    std::size_t forgotten = 0;
    h.forget_done([&](std::size_t channel, std::uint64_t number) { return number <= done[channel]; },
                  [&](const hearing::heard& e) { forgotten += e.number <= done[e.channel] ? 1 : 0; });
    return forgotten;
}

hearing::heard one(std::size_t channel, std::uint64_t number, std::string payload) {
    hearing::heard h;
    h.channel = channel;
    h.number = number;
    h.payload = std::move(payload);
    return h;
}

// The same, as plainly as can be: everything is kept for ever.
struct model {
    explicit model(std::size_t channels) : counts(channels, 0) {}

    std::vector<std::uint64_t> counts;
    std::vector<std::pair<std::string, std::vector<std::uint64_t>>> markers;
    std::vector<std::vector<std::uint64_t>> sessions{counts};
    std::vector<hearing::heard> held;

    std::size_t bytes() const {
        std::size_t sum = 0;
        for (const auto& h : held)
            sum += hearing::cost(h);
        return sum;
    }
    void forget_done(const std::vector<std::uint64_t>& done) {
        const auto is_done = [&](const hearing::heard& h) { return h.number <= done[h.channel]; };
        while (oldest != 0 && is_done(held.front())) {
            held.erase(held.begin());
            --oldest;
        }
        const auto newest = held.begin() + static_cast<std::ptrdiff_t>(oldest);
        held.erase(newest, std::find_if_not(newest, held.end(), is_done));
        std::erase_if(left_out, is_done);
    }
    std::size_t forget_between(std::size_t oldest_bytes, std::size_t newest_bytes) {
        const auto bytes_of = [&](std::size_t from, std::size_t to) {
            std::size_t sum = 0;
            for (; from < to; ++from)
                sum += hearing::cost(held[from]);
            return sum;
        };
        while (oldest < held.size() && bytes_of(0, oldest + 1) <= oldest_bytes)
            ++oldest;
        std::size_t n = 0;
        for (; bytes_of(oldest, held.size()) > newest_bytes; ++n) {
            left_out.push_back(held[oldest]);
            held.erase(held.begin() + static_cast<std::ptrdiff_t>(oldest));
        }
        return n;
    }
    std::size_t oldest = 0;  // so many of those held are pinned
    std::vector<hearing::heard> left_out;
};

void compare(const hearing& h, const model& m) {
    REQUIRE(h.held() == m.held.size());
    REQUIRE(h.bytes() == m.bytes());
    std::set<std::pair<std::size_t, std::uint64_t>> missing;
    for (const auto& hole : h.holes())
        for (auto n = hole.first; n <= hole.last; ++n)
            REQUIRE(missing.emplace(hole.channel, n).second);
    REQUIRE(missing.size() == m.left_out.size());
    for (const auto& l : m.left_out)
        REQUIRE(missing.contains({l.channel, l.number}));
    for (std::size_t c = 0; c < m.counts.size(); ++c) {
        REQUIRE(h.last(c) == m.counts[c]);
        const auto markers = h.markers(c);
        REQUIRE(markers.size() == m.markers.size());
        for (std::size_t i = 0; i < markers.size(); ++i) {
            REQUIRE(markers[i].marker == m.markers[i].first);
            REQUIRE(markers[i].number == m.markers[i].second[c]);
        }
        const auto sessions = h.sessions(c);
        REQUIRE(sessions.size() == m.sessions.size());
        for (std::size_t i = 0; i < sessions.size(); ++i)
            REQUIRE(sessions[i] == m.sessions[i][c]);
    }
}

}  // namespace

TEST_CASE("each channel counts for itself, from 1 on") {
    hearing h(2);
    CHECK(h.last(0) == 0);
    CHECK(h.count(0) == 1);
    CHECK(h.count(0) == 2);
    CHECK(h.count(1) == 1);
    CHECK(h.last(0) == 2);
    CHECK(h.last(1) == 1);
}

TEST_CASE("two that heard the same marker mean the same event, wherever each began to count") {
    hearing early(2);
    hearing late(2);
    early.gap();
    for (int i = 0; i < 5; ++i)
        early.count(0);
    late.gap();
    for (auto* h : {&early, &late}) {
        h->count(0);
        h->mark("m");
        h->count(0);
        h->count(1);
        h->count(0);
    }
    for (const std::size_t channel : {0U, 1U})
        CHECK(early.last(channel) - *at(early, "m", channel) == late.last(channel) - *at(late, "m", channel));
    CHECK(early.last(0) - *at(early, "m", 0) == 2);
}

TEST_CASE("what may have been missed is a gap wider than it can have been, on every channel") {
    hearing h(2);
    h.count(0);
    h.mark("before");
    h.gap();
    CHECK(h.count(0) - *at(h, "before", 0) > 100'000'000);
    CHECK(h.count(1) - *at(h, "before", 1) > 100'000'000);
}

TEST_CASE("numbers stay exact as scores in Redis over a million sessions") {
    hearing h(1);
    for (int i = 0; i < 1'000'000; ++i)
        h.gap();
    CHECK(h.count(0) < (std::uint64_t{1} << 53));
}

TEST_CASE("a marker that was not heard names no event, and the last one is known by name") {
    hearing h(1);
    CHECK(h.markers(0).empty());
    CHECK_FALSE(at(h, "m", 0).has_value());
    CHECK_FALSE(at(h, "", 0).has_value());
    h.mark("m");
    CHECK(at(h, "m", 0) == 0);
    h.count(0);
    h.mark("n");
    CHECK(h.markers(0).back().marker == "n");
    CHECK(at(h, "m", 0) == 0);
    CHECK(at(h, "n", 0) == 1);
}

TEST_CASE("an event is told by its distance behind the latest marker before it, also in another session") {
    hearing h(2);
    CHECK_FALSE(h.distance(0, h.count(0)));
    h.mark("m1");
    const auto first = h.count(0);
    h.count(1);
    const auto second = h.count(0);
    h.gap();
    h.mark("m2");
    h.mark("m3");
    const auto third = h.count(0);
    CHECK(h.distance(0, first) == marked_number{"m1", 1});
    CHECK(h.distance(0, second) == marked_number{"m1", 2});
    CHECK(h.distance(0, third) == marked_number{"m3", 1});
    CHECK(h.before(0, "m1") == first - 1);
    CHECK(h.before(0, "m3") == third - 1);
    CHECK_FALSE(h.before(0, "other"));
}

TEST_CASE("of many markers the latest are remembered, and no more") {
    hearing h(1);
    for (int i = 0; i < 1'000; ++i) {
        h.count(0);
        h.mark(std::to_string(i));
    }
    CHECK(at(h, "999", 0) == 1'000);
    CHECK(at(h, "900", 0) == 901);
    CHECK_FALSE(at(h, "0", 0).has_value());
    CHECK_FALSE(at(h, "700", 0).has_value());
}

TEST_CASE("what anybody may have sent in place of a marker is none") {
    hearing h(1);
    CHECK_FALSE(h.mark(""));
    CHECK_FALSE(h.mark("a b"));
    CHECK_FALSE(h.mark(std::string(65, 'x')));
    CHECK(h.markers(0).empty());
    CHECK(h.mark(std::string(64, 'x')));
}

TEST_CASE("each session begins behind a number, and the latest are remembered") {
    hearing h(1);
    h.count(0);
    h.gap();
    const auto begin = h.last(0);
    h.count(0);
    h.gap();
    CHECK(h.sessions(0) == std::vector<std::uint64_t>{0, begin, h.last(0)});
    for (int i = 0; i < 1'000; ++i)
        h.gap();
    CHECK(h.sessions(0).size() == 256);
    CHECK(h.sessions(0).back() == h.last(0));
}

TEST_CASE("what is held comes back in order, with all that was told of it") {
    hearing h(2);
    auto first = one(1, 7, "a");
    first.only = "route";
    first.at = postrider::event::steady_time(std::chrono::seconds(3));
    h.hold(first);
    h.hold(one(0, 2, "b"));
    const auto taken = h.take();
    REQUIRE(taken.has_value());
    CHECK(taken->channel == 1);
    CHECK(taken->number == 7);
    CHECK(taken->payload == "a");
    CHECK(taken->only == "route");
    CHECK(taken->at == first.at);
    CHECK(h.take()->payload == "b");
    CHECK_FALSE(h.take().has_value());
    CHECK(h.bytes() == 0);
}

TEST_CASE("what is done is forgotten from the front only, so that nothing is taken before an older event") {
    hearing h(2);
    h.hold(one(0, 1, "a"));
    h.hold(one(1, 1, "b"));
    h.hold(one(0, 2, "c"));
    CHECK(forget_done(h, {2, 0}) == 1);
    CHECK(h.held() == 2);
    CHECK(forget_done(h, {1, 1}) == 1);
    CHECK(h.held() == 1);
    CHECK(forget_done(h, {2, 1}) == 1);
    CHECK(h.held() == 0);
}

TEST_CASE("past the bounds the oldest and the newest stay, and what lay between is known to be missing") {
    hearing h(1);
    for (std::uint64_t n = 1; n <= 5; ++n)
        h.hold(one(0, n, "ten bytes "));
    const auto each = hearing::cost(one(0, 1, "ten bytes "));
    CHECK(h.forget_between(2 * each, 3 * each) == 0);
    CHECK(h.holes().empty());
    h.hold(one(0, 6, "ten bytes "));
    h.hold(one(0, 7, "ten bytes "));
    CHECK(h.forget_between(2 * each, 3 * each) == 2);
    CHECK(h.bytes() == 5 * each);
    REQUIRE(h.holes().size() == 1);
    CHECK(h.holes()[0].first == 3);
    CHECK(h.holes()[0].last == 4);
    std::vector<std::uint64_t> numbers;
    while (const auto taken = h.take())
        numbers.push_back(taken->number);
    CHECK(numbers == std::vector<std::uint64_t>{1, 2, 5, 6, 7});
    h.forget_holes();
    CHECK(h.holes().empty());
}

TEST_CASE("short events are bounded by what it costs to hold them, not by their payloads") {
    hearing h(1);
    for (std::uint64_t n = 1; n <= 10'000; ++n)
        h.hold(one(0, n, "x"));
    CHECK(h.bytes() >= 10'000 * sizeof(hearing::heard));
    h.forget_between(100'000, 100'000);
    CHECK(h.held() * sizeof(hearing::heard) <= 200'000);
    CHECK(h.held() > 500);
}

TEST_CASE("a hole closes as far as what is missing is done, and a gap in the numbers is no part of it") {
    hearing h(2);
    for (std::uint64_t n = 1; n <= 4; ++n)
        h.hold(one(0, n, "x"));
    h.hold(one(0, 1'000'000'005, "x"));
    h.hold(one(1, 1, "x"));
    CHECK(h.forget_between(hearing::cost(one(0, 1, "x")), 0) == 5);
    REQUIRE(h.holes().size() == 3);
    forget_done(h, {2, 0});
    CHECK(h.held() == 0);
    REQUIRE(h.holes().size() == 3);
    CHECK(h.holes()[0].first == 3);
    CHECK(h.holes()[0].last == 4);
    forget_done(h, {4, 1});
    REQUIRE(h.holes().size() == 1);
    CHECK(h.holes()[0].first == 1'000'000'005);
}

TEST_CASE("whatever is heard, held and forgotten, a plain model of it agrees") {
    std::mt19937_64 dice(postrider::test::random_seed());
    using postrider::test::throw_dice;
    for (int round = 0; round < 50; ++round) {
        const auto channels = static_cast<std::size_t>(throw_dice(dice, 1, 4));
        hearing h(channels);
        model m(channels);
        for (int step = 0; step < 200; ++step) {
            const auto channel = static_cast<std::size_t>(dice() % channels);
            const int what = throw_dice(dice, 0, 99);
            if (what < 60) {
                const auto number = h.count(channel);
                REQUIRE(number == ++m.counts[channel]);
                auto event =
                    one(channel, number, std::string(static_cast<std::size_t>(throw_dice(dice, 0, 9)), 'x'));
                h.hold(event);
                m.held.push_back(event);
            } else if (what < 70) {
                const auto name = std::to_string(step);
                h.mark(name);
                m.markers.emplace_back(name, m.counts);
            } else if (what < 75) {
                const auto before = h.last(0);
                h.gap();
                for (auto& n : m.counts)
                    n += h.last(0) - before;
                m.sessions.push_back(m.counts);
            } else if (what < 85) {
                const auto taken = h.take();
                REQUIRE(taken.has_value() == !m.held.empty());
                if (!taken) continue;
                REQUIRE(taken->number == m.held.front().number);
                REQUIRE(taken->channel == m.held.front().channel);
                m.held.erase(m.held.begin());
                m.oldest -= m.oldest == 0 ? 0 : 1;
            } else if (what < 95) {
                std::vector<std::uint64_t> done;
                for (const auto n : m.counts)
                    done.push_back(n - std::min<std::uint64_t>(n, dice() % 5));
                const auto before = m.held.size();
                m.forget_done(done);
                REQUIRE(forget_done(h, done) == before - m.held.size());
            } else {
                const auto oldest = static_cast<std::size_t>(throw_dice(dice, 0, 2'000));
                const auto newest = static_cast<std::size_t>(throw_dice(dice, 0, 2'000));
                REQUIRE(h.forget_between(oldest, newest) == m.forget_between(oldest, newest));
            }
            compare(h, m);
        }
    }
}
