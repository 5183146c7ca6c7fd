#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "event/grouper.hpp"

namespace postrider::event {

// A marker that was notified between the events of a channel, and the number of the last event before it.
struct marked_number {
    std::string marker;
    std::uint64_t number = 0;

    bool operator==(const marked_number&) const = default;
};

// Numbers what is heard on each channel, remembers where markers stood, and holds what may not be taken yet:
// pure. Every replica hears the same notifications in the same order, so two of them that have heard the same
// marker can tell each other which event they mean.
class hearing {
 public:
    struct heard {
        std::size_t channel = 0;
        std::uint64_t number = 0;
        std::string payload;
        steady_time at{};
        std::string only = {};  // the one route that it is for; empty: all of the channel
        // Of each route that it cancels: the last event before it on that one's channel.
        std::vector<std::uint64_t> cancels_until = {};
    };

    // About what it costs to hold an event: of short ones, several times its payload.
    static std::size_t cost(const heard& h) { return h.payload.size() + sizeof(heard) + 16; }

    // More than a channel carries in any outage; scores in Redis, which are doubles, stay exact over millions
    // of gaps.
    static constexpr std::uint64_t gap_width = 1'000'000'000;

    // Events of a channel that were not held: from the first number to the last.
    struct hole {
        std::size_t channel = 0;
        std::uint64_t first = 0;
        std::uint64_t last = 0;
    };

    explicit hearing(std::size_t channels) : counts_(channels, 0), sessions_{counts_} {}

    // A session begins, before which something may have been missed: the numbers go on behind a gap.
    void gap();
    // The numbers, each the last before the first event of a session, oldest first. Of the latest sessions.
    std::vector<std::uint64_t> sessions(std::size_t channel) const;

    // Counts an event; returns its number, from 1 on.
    std::uint64_t count(std::size_t channel) { return ++counts_[channel]; }
    std::uint64_t last(std::size_t channel) const { return counts_[channel]; }

    // A marker was heard here. The latest are remembered. False: what is empty, longer than 64 bytes or has
    // blanks is none.
    bool mark(std::string_view marker);
    // Those remembered, oldest first.
    std::vector<marked_number> markers(std::size_t channel) const;
    // The number of the last event before a marker; empty: it was not heard here, or is forgotten.
    std::optional<std::uint64_t> before(std::size_t channel, std::string_view marker) const;
    // The latest marker before an event, and how many events lie behind it, this one included; empty: it is
    // forgotten.
    std::optional<marked_number> distance(std::size_t channel, std::uint64_t number) const;

    void hold(heard h);
    // The oldest one held; empty: none.
    std::optional<heard> take();
    // Hands over from the front, to forgotten(heard), what is done, as done(channel, number) says; of a
    // session what comes after an event that is not done is not done either.
    template <class Done, class Forgotten>
    void forget_done(Done done, Forgotten forgotten) {
        for (auto* s : {&oldest_, &newest_})
            while (!s->events.empty() && done(s->events.front().channel, s->events.front().number))
                forgotten(s->pop());
        std::erase_if(holes_, [&](const hole& h) { return done(h.channel, h.last); });
        for (auto& h : holes_)
            for (auto end = h.last; h.first < end;) {
                const auto middle = h.first + (end - h.first) / 2;
                if (done(h.channel, middle))
                    h.first = middle + 1;
                else
                    end = middle;
            }
    }
    // Keeps of what is held the oldest up to so many bytes and the newest up to so many, and forgets what
    // lies between; returns how many were forgotten. Of a long outage the leader has the oldest in its memory
    // alone, and the newest perhaps not yet in its table.
    std::size_t forget_between(std::size_t oldest_bytes, std::size_t newest_bytes);
    // What was forgotten so and is not known to be done; at most as many as there were gaps and outages.
    const std::vector<hole>& holes() const { return holes_; }
    void forget_holes() { holes_.clear(); }

    std::size_t held() const { return oldest_.events.size() + newest_.events.size(); }
    // About what all that costs.
    std::size_t bytes() const { return oldest_.bytes + newest_.bytes; }

 private:
    struct marker {
        std::string name;
        std::vector<std::uint64_t> counts;
    };

    // A stretch of what is held, in order.
    struct stretch {
        std::deque<heard> events;
        std::size_t bytes = 0;

        void push(heard h);
        heard pop();
    };
    void leave_out(const heard& h);

    std::vector<std::uint64_t> counts_;
    std::deque<std::vector<std::uint64_t>> sessions_;
    std::deque<marker> markers_;
    stretch oldest_;
    stretch newest_;  // behind all of those; what is forgotten lay between
    std::vector<hole> holes_;
};

}  // namespace postrider::event
