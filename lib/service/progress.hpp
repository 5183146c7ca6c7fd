#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "core/clock.hpp"

namespace postrider::service {

// Decides when "caught up to here" may be written to Redis: pure. A mark names a time and what was under way
// when it was taken; it may be written once all of that is delivered or saved, so that it never passes an
// event that only this process knows.
class progress {
 public:
    // What a line to a target has taken since the start, and what of that it has done. It does it in order,
    // and independently of the others.
    struct line {
        std::uint64_t accepted = 0;
        std::uint64_t finished = 0;
    };

    // Once a second is often enough, because a catch-up reaches back over its overlap anyway.
    static constexpr core::milliseconds interval{1'000};

    // A burst is looked at after so many deliveries, because each leaves an entry in Redis until a mark
    // passes it.
    static constexpr std::uint64_t burst = 4'096;

    // When to look again.
    core::steady::time_point next_look() const { return next_look_; }

    // Whether so much was delivered since the last look that the next cannot wait for its time.
    bool must_look(std::span<const line> lines) const { return finished(lines) - looked_at_ >= burst; }

    enum class step {
        wait,    // nothing to do
        marked,  // a mark was taken: note how far the routes are
        reached  // what was noted may be written now, and a mark was taken
    };

    // Looks: `lines` are always the same ones in the same order, everything changed before `saved_until`
    // stands in Redis.
    step look(core::steady::time_point now, std::span<const line> lines,
              core::steady::time_point saved_until) {
        if (now < next_look_ && !must_look(lines)) return step::wait;
        next_look_ = now + interval;
        looked_at_ = finished(lines);
        if (mark_ && (!is_passed(lines) || saved_until < mark_->taken)) return step::wait;
        const auto outcome = mark_ ? step::reached : step::marked;
        mark_ = mark{now, {lines.begin(), lines.end()}};
        return outcome;
    }

 private:
    struct mark {
        core::steady::time_point taken;
        std::vector<line> lines;
    };

    static std::uint64_t finished(std::span<const line> lines) {
        std::uint64_t sum = 0;
        for (const auto& l : lines)
            sum += l.finished;
        return sum;
    }
    // What one line has done since the mark says nothing about another.
    bool is_passed(std::span<const line> lines) const {
        return std::equal(lines.begin(), lines.end(), mark_->lines.begin(), mark_->lines.end(),
                          [](const line& now, const line& then) { return now.finished >= then.accepted; });
    }

    std::optional<mark> mark_;
    core::steady::time_point next_look_{};
    std::uint64_t looked_at_ = 0;  // deliveries finished by then
};

}  // namespace postrider::service
