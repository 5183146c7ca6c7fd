#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "event/route.hpp"
#include "redis/delivery.hpp"

namespace postrider::redis {

// What goes to one target at once. It stays as it is until Redis has answered for it, so that sending it
// again is recognised by its sequence.
struct batch {
    std::uint64_t sequence = 0;
    std::vector<delivery> deliveries;
    bool asked_again = false;
    bool sent_before = false;
};

// The deliveries on their way to one target, in order: pure. One batch is under way at a time; whatever comes
// meanwhile makes the next one, so batches grow with the load by themselves.
class push_line {
 public:
    explicit push_line(event::target to) : target_(std::move(to)) {}

    const event::target& target() const { return target_; }

    void add(delivery&& d);

    // The batch to send now: the one that waits to be sent again, else a new one; null: nothing to do.
    const batch* next();

    // Redis has done the batch: its deliveries, for the books.
    std::vector<delivery> done();

    // Redis refused the batch. True, once for each batch: it is to be sent again as it is.
    bool ask_again() { return !std::exchange(under_way_.asked_again, true); }

    // Redis refused the batch for good. Of a single delivery: it is taken out and returned. Of more: they are
    // sent one by one, so that only those are refused that cannot be delivered.
    std::optional<delivery> refused();

    // The delivery under way, if it is a single one, goes without deleting what it was saved as; false: it is
    // not alone, or was not saved.
    bool forget_saved();

    // Takes everything, that under way too, in order.
    std::vector<delivery> take_all();

    // Whether a delivery that is saved under this name is still to be pushed.
    bool holds(std::string_view saved_as) const;

    // Deliveries since the start: all that were added, and those of them that wait no more.
    std::uint64_t accepted() const { return accepted_; }
    std::uint64_t finished() const { return accepted_ - waiting_; }

    std::size_t waiting() const { return waiting_; }      // deliveries, those under way included
    std::size_t waiting_bytes() const { return bytes_; }  // of their bodies
    bool empty() const { return waiting_ == 0; }

 private:
    static constexpr std::size_t batch_deliveries = 2'000;
    static constexpr std::size_t batch_bytes = 4 << 20;

    event::target target_;
    std::deque<delivery> line_;
    batch under_way_;
    std::size_t one_by_one_ = 0;  // so many of the next deliveries go alone
    std::uint64_t last_sequence_ = 0;
    std::uint64_t accepted_ = 0;
    std::size_t waiting_ = 0;
    std::size_t bytes_ = 0;
};

}  // namespace postrider::redis
