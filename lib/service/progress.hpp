#pragma once

#include <optional>

#include "core/clock.hpp"

namespace postrider::service {

// Decides when "caught up to here" may be written to Redis: pure. A mark names a time and what was under way
// when it was taken; it may be written once all of that is delivered or saved, so that it never passes an
// event that only this process knows.
class progress {
 public:
    // Once a second is often enough, because a catch-up reaches back over its overlap anyway.
    static constexpr core::milliseconds interval{1'000};

    // A burst is looked at after so many deliveries, because each leaves an entry in Redis until a mark
    // passes it.
    static constexpr std::uint64_t burst = 4'096;

    // When to look again.
    core::steady::time_point next_look() const { return next_look_; }

    // Whether so much was delivered since the last look that the next cannot wait for its time.
    bool must_look(std::uint64_t finished) const { return finished - looked_at_ >= burst; }

    enum class step {
        wait,    // nothing to do
        marked,  // a mark was taken: note how far the routes are
        reached  // what was noted may be written now, and a mark was taken
    };

    // Looks: `accepted` and `finished` count deliveries, everything changed before `saved_until` stands in
    // Redis.
    step look(core::steady::time_point now, std::uint64_t accepted, std::uint64_t finished,
              core::steady::time_point saved_until) {
        if (now < next_look_ && !must_look(finished)) return step::wait;
        next_look_ = now + interval;
        looked_at_ = finished;
        if (mark_ && (finished < mark_->accepted || saved_until < mark_->taken)) return step::wait;
        const auto outcome = mark_ ? step::reached : step::marked;
        mark_ = mark{now, accepted};
        return outcome;
    }

 private:
    struct mark {
        core::steady::time_point taken;
        std::uint64_t accepted;
    };
    std::optional<mark> mark_;
    core::steady::time_point next_look_{};
    std::uint64_t looked_at_ = 0;  // deliveries finished by then
};

}  // namespace postrider::service
