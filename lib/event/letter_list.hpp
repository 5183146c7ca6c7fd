#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <unordered_map>
#include <vector>

#include "event/dead_letter.hpp"

namespace postrider::event {

// Dead letters in memory, in order, bounded by number and bytes: pure. The same event that comes again is one
// letter with more attempts, so a storm of one payload takes the room of one.
class letter_list {
 public:
    struct numbered {
        std::int64_t number = 0;
        dead_letter letter;
    };

    letter_list(std::size_t most, std::size_t most_bytes) : most_(most), most_bytes_(most_bytes) {}

    // Appends a letter under the next number, or counts it where it waits already. Beyond the bounds the
    // oldest go; returns how many letters went, by their attempts, so that counts stay exact.
    std::uint64_t add(dead_letter l);

    // Takes up to `most` of the oldest away; no two of them are the same event.
    std::vector<numbered> take(std::size_t most);
    // Puts back what take() gave, under the same numbers; the bounds hold as in add().
    std::uint64_t put_back(std::vector<numbered> letters);
    // Takes one away.
    std::optional<dead_letter> take_one(std::int64_t number);

    // Copies of up to `limit` letters behind the number `after` that the filter means, its ids included.
    std::vector<numbered> find(const letter_filter& f, dead_letter::wall_time now, std::int64_t after,
                               std::size_t limit) const;

    // The oldest push of the same route and key as this push, older than it; empty: there is none.
    std::optional<std::int64_t> earlier_push(std::int64_t number) const;

    std::size_t size() const { return letters_.size(); }
    bool empty() const { return letters_.empty(); }
    std::size_t bytes() const { return bytes_; }

 private:
    void insert(std::int64_t number, dead_letter l);
    dead_letter remove(std::map<std::int64_t, dead_letter>::iterator at);
    std::uint64_t trim();

    std::size_t most_;
    std::size_t most_bytes_;
    std::map<std::int64_t, dead_letter> letters_;
    std::unordered_map<std::size_t, std::int64_t> events_;  // by the payload's hash, the newest with it
    std::size_t bytes_ = 0;
    std::int64_t last_number_ = 0;
};

}  // namespace postrider::event
