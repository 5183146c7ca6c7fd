#include "event/taken_over.hpp"

#include <doctest/doctest.h>

#include <map>

#include "seed.hpp"

using postrider::event::taken_over;

TEST_CASE("of nothing nothing is known") {
    const taken_over known;
    CHECK_FALSE(known.has(1, "a"));
    CHECK(known.highest() == 0);
}

TEST_CASE("everything up to a number is known, of every key") {
    taken_over known;
    known.know_until(5);
    known.know_until(3);
    CHECK(known.has(1, "a"));
    CHECK(known.has(5, "b"));
    CHECK_FALSE(known.has(6, "a"));
    CHECK(known.highest() == 5);
}

TEST_CASE("a key is known up to its own last event, and says nothing of others") {
    taken_over known;
    known.know_key("a", 9);
    known.know_key("a", 7);
    known.know_key("b", 4);
    CHECK(known.has(9, "a"));
    CHECK(known.has(8, "a"));
    CHECK_FALSE(known.has(10, "a"));
    CHECK_FALSE(known.has(5, "b"));
    CHECK_FALSE(known.has(1, "c"));
    CHECK_FALSE(known.has(1, ""));
    CHECK(known.highest() == 9);
}

TEST_CASE("an event that is known alone says nothing of those around it") {
    taken_over known;
    known.know_one(6);
    CHECK(known.has(6, "a"));
    CHECK_FALSE(known.has(5, "a"));
    CHECK_FALSE(known.has(7, "a"));
    CHECK(known.highest() == 6);
}

TEST_CASE("an event is known exactly if it was told, alone, with its key or with all before it") {
    std::mt19937_64 dice(postrider::test::random_seed());
    using postrider::test::throw_dice;
    for (int round = 0; round < 100; ++round) {
        taken_over known;
        // By number and key, every event there can be.
        std::map<std::pair<std::uint64_t, std::string>, bool> told;
        std::uint64_t highest = 0;
        for (int step = 0; step < 12; ++step) {
            const auto number = static_cast<std::uint64_t>(throw_dice(dice, 1, 40));
            const std::string key(1, static_cast<char>('a' + throw_dice(dice, 0, 3)));
            highest = std::max(highest, number);
            const int how = throw_dice(dice, 0, 9);
            if (how == 0)
                known.know_until(number);
            else if (how < 6)
                known.know_key(key, number);
            else
                known.know_one(number);
            for (std::uint64_t n = 1; n <= 45; ++n)
                for (const std::string k : {"a", "b", "c", "d"}) {
                    const bool now = how == 0 ? n <= number : how < 6 ? n <= number && k == key : n == number;
                    auto& before = told[{n, k}];
                    before = before || now;
                    REQUIRE(known.has(n, k) == before);
                }
            REQUIRE(known.highest() == highest);
        }
    }
}
