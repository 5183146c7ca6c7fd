#include "core/log_storm.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <deque>
#include <map>
#include <random>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using postrider::core::log_storm;
using postrider::core::steady;

namespace {

constexpr steady::time_point start{1h};

// The same written down plainly: every text is looked at every time.
class reference {
 public:
    bool lets_through(const std::string& text, const std::string& detail, steady::time_point now) {
        due(now);
        const auto known =
            std::find_if(all_.begin(), all_.end(), [&](const auto& t) { return t.text == text; });
        if (known == all_.end()) {
            if (all_.size() == log_storm::most_texts) {
                tell(all_.front(), now);
                all_.erase(all_.begin());
            }
            all_.push_back({text, detail, now, 1, 0});
            return true;
        }
        if (known->examples < 10 && known->last != detail) {
            ++known->examples;
            known->last = detail;
            return true;
        }
        ++known->times;
        return false;
    }

    void due(steady::time_point now) {
        // Copying them all for every line would be most of the test's time.
        if (std::none_of(all_.begin(), all_.end(), [&](const one& t) { return now - t.began >= 10s; }))
            return;
        std::deque<one> later, again;
        for (auto& t : all_) {
            if (now - t.began < 10s) {
                later.push_back(t);
            } else if (t.times != 0) {
                tell(t, now);
                again.push_back({t.text, t.last, now, t.examples, 0});
            }
        }
        later.insert(later.end(), again.begin(), again.end());
        all_ = later;
    }

    std::vector<std::string> told;

 private:
    struct one {
        std::string text, last;
        steady::time_point began;
        unsigned examples;
        std::uint64_t times;
    };
    void tell(const one& t, steady::time_point now) {
        if (t.times == 0) return;
        const auto within = std::chrono::duration_cast<std::chrono::milliseconds>(now - t.began);
        told.push_back(t.text + ":" + std::to_string(t.times) + ":" + std::to_string(within.count()));
    }
    std::deque<one> all_;
};

std::vector<std::string> words(const std::vector<log_storm::repeated>& counts) {
    std::vector<std::string> all;
    for (const auto& c : counts)
        all.push_back(c.text + ":" + std::to_string(c.times) + ":" + std::to_string(c.within.count()));
    return all;
}

}  // namespace

TEST_CASE("the first of a storm is written, the others are counted, and the count comes out") {
    log_storm storm;
    std::vector<log_storm::repeated> counts;
    CHECK(storm.lets_through("refused", "", start, counts));
    for (int i = 0; i < 214; ++i)
        CHECK_FALSE(storm.lets_through("refused", "", start + 20ms * i, counts));
    CHECK(storm.lets_through("other", "", start + 5s, counts));
    CHECK(counts.empty());
    storm.due(start + 9'999ms, counts);
    CHECK(counts.empty());
    storm.due(start + 10s, counts);
    CHECK(words(counts) == std::vector<std::string>{"refused:214:10000"});
    // It goes on: one count each 10 s. It has ended: the next one is new.
    CHECK_FALSE(storm.lets_through("refused", "", start + 11s, counts));
    storm.due(start + 20s, counts);
    CHECK(words(counts).back() == "refused:1:10000");
    storm.due(start + 40s, counts);
    CHECK(counts.size() == 2);
    CHECK(storm.texts() == 0);
    CHECK(storm.lets_through("refused", "", start + 40s, counts));
}

TEST_CASE("lines that differ in a detail give ten examples") {
    log_storm storm;
    std::vector<log_storm::repeated> counts;
    int through = 0;
    for (int i = 0; i < 1'000; ++i)
        through += storm.lets_through("left out", std::to_string(i), start, counts) ? 1 : 0;
    CHECK(through == 10);
    storm.end(start + 1s, counts);
    CHECK(words(counts) == std::vector<std::string>{"left out:990:1000"});
    storm.end(start + 1s, counts);
    CHECK(counts.size() == 1);
}

TEST_CASE("it knows a bounded number of texts, and the count of one that has to go comes out") {
    log_storm storm;
    std::vector<log_storm::repeated> counts;
    storm.lets_through("first", "", start, counts);
    storm.lets_through("first", "", start, counts);
    for (std::size_t i = 1; i < log_storm::most_texts; ++i)
        storm.lets_through(std::to_string(i), "", start, counts);
    CHECK(counts.empty());
    CHECK(storm.lets_through("one more", "", start + 1s, counts));
    CHECK(storm.texts() == log_storm::most_texts);
    CHECK(words(counts) == std::vector<std::string>{"first:1:1000"});
}

TEST_CASE("random storms are folded as the plain reference folds them, and every line is accounted for") {
    const auto seed = std::random_device{}();
    MESSAGE("POSTRIDER_SEED=" << seed);
    std::mt19937_64 random(seed);
    for (const std::size_t texts : {3U, 40U, 1'500U}) {
        CAPTURE(texts);
        log_storm storm;
        reference plain;
        std::vector<log_storm::repeated> counts;
        std::map<std::string, std::uint64_t> sent, seen;
        auto now = start;
        for (int i = 0; i < 20'000; ++i) {
            now += std::chrono::milliseconds(random() % 5'000 == 0 ? random() % 12'000 : random() % 2);
            if (random() % 50 == 0) {
                storm.due(now, counts);
                plain.due(now);
            }
            // Some texts come far more often than others.
            const auto text = std::to_string(std::min(random() % texts, random() % texts));
            const auto detail = std::to_string(random() % 3);
            ++sent[text];
            const bool through = storm.lets_through(text, detail, now, counts);
            REQUIRE(through == plain.lets_through(text, detail, now));
            REQUIRE(storm.texts() <= log_storm::most_texts);
            seen[text] += through ? 1 : 0;
        }
        REQUIRE(words(counts) == plain.told);
        storm.end(now, counts);
        for (const auto& c : counts)
            seen[c.text] += c.times;
        CHECK(seen == sent);
    }
}
