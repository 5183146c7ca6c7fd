// The bridge while Redis is away for long: events are put aside in Postgres, and come back in order.

#include <algorithm>

#include "core/log_line.hpp"
#include "service/bridge.hpp"

namespace postrider::service {

using core::steady;

namespace {

constexpr core::milliseconds park_pause{500};

// What a waiting delivery costs beside its body, roughly.
constexpr std::size_t cost_of_waiting = sizeof(redis::delivery) + 64;

}  // namespace

// Open groups wait for their time, and for Redis only while it is away.
std::size_t bridge::waiting_bytes() const {
    std::size_t sum = pusher_.waiting_bytes() + pusher_.waiting() * cost_of_waiting;
    if (redis_.connected()) return sum;
    for (const auto& l : lanes_)
        sum += l.groups.open_bytes();
    return sum;
}

bool bridge::must_park() {
    if (is_parking_) return true;
    if (waiting_bytes() < configuration_.redis_buffer_bytes) return false;
    core::log_warning(
        "redis: {} bytes wait for it (REDIS_BUFFER_BYTES); from here on events are put aside in Postgres, in "
        "postrider.parked",
        waiting_bytes());
    is_parking_ = true;
    return true;
}

void bridge::park(event::parked p) {
    to_park_bytes_ += p.payload.size();
    to_park_.push_back(std::move(p));
    if (to_park_.size() == 1) park_again_.notify();
}

// What was heard while another led: what that one has put aside comes from the table; what it had before that
// comes first, and what came since goes behind.
void bridge::take_held(const event::hearing::heard& h) {
    const auto& who = *by_channel_[h.channel];
    const auto now = steady::now();
    const auto until = numbers_until(who, h.cancels_until);
    if (!must_park()) return process(who, h.payload, h.number, now, h.only, until);
    auto p = numbered(who, h.number, h.only, h.cancels_until);
    const auto comes_first = [&](const auto& n) {
        const auto* range = event::range_of(parked_before_, n.first);
        return range != nullptr && n.second < range->first;
    };
    const auto is_there = [&](const auto& n) {
        const auto* range = event::range_of(parked_before_, n.first);
        return range != nullptr && n.second <= range->last;
    };
    const auto all = p.numbers.size();
    if (std::any_of(p.numbers.begin(), p.numbers.end(), comes_first)) {
        if (std::all_of(p.numbers.begin(), p.numbers.end(), comes_first))
            return process(who, h.payload, h.number, now, h.only, until);
        // A stop has put aside what some of the routes had not delivered.
        for (const auto i : who.routes) {
            const auto& name = lanes_[i].route.name;
            const auto number = p.number_of(name);
            if (p.is_for(name) && comes_first(std::pair(name, number))) take(i, h.payload, number, now);
        }
        std::erase_if(p.numbers, comes_first);
    }
    std::erase_if(p.numbers, is_there);
    if (p.numbers.empty() && all != 0) return;
    p.payload = h.payload;
    park(std::move(p));
}

bool bridge::has_parked() const {
    if (is_unread_) return is_sorted_ && to_park_.empty() && to_put_back_.empty();
    return !restored_ || (settled_ && to_park_.empty() && to_put_back_.empty());
}

asio::awaitable<void> bridge::keep_parked() {
    while (!stopping_ && !(finishing_ && has_parked())) {
        core::result<bool> done = false;
        if (is_unread_) {
            done = co_await park_unread();
        } else if (restored_ && is_parking_) {
            done = co_await park_some();
            if (done && !*done) done = co_await take_some_back();
        }
        if (done && !*done && !to_put_back_.empty()) done = co_await put_some_back();
        if (done && *done) continue;
        if (!done) {
            if (parking_.missing() && !is_unread_) take_from_memory();
            if (parking_error_ != done.error().message)
                core::log_error("postgres: events cannot be put aside or taken back yet: {}",
                                done.error().message);
            parking_error_ = done.error().message;
        }
        const bool again = is_unread_ || is_parking_ || !to_put_back_.empty();
        const auto until = again ? steady::now() + park_pause : steady::time_point::max();
        co_await park_again_.wait_until(until);
    }
    parking_.close();
}

// True: something was written.
asio::awaitable<core::result<bool>> bridge::park_some() {
    if (park_failed_) {
        auto ranges = co_await parking_.ranges();
        if (!ranges) co_return ranges.error();
        parked_ += drop_what_is_parked(*ranges);
        park_failed_ = false;
    }
    if (to_park_.empty() || leader_ == 0) co_return false;
    const auto count = std::min(to_park_.size(), postgres::parking::events_a_statement);
    std::vector<event::parked> some(to_park_.begin(), to_park_.begin() + static_cast<std::ptrdiff_t>(count));
    const auto term = terms_;
    park_failed_ = true;
    auto written = co_await parking_.write(std::move(some));
    if (term != terms_) co_return true;
    if (!written) co_return written.error();
    park_failed_ = false;
    if (!*written) co_return false;
    for (std::size_t i = 0; i < count; ++i) {
        to_park_bytes_ -= to_park_.front().payload.size();
        to_park_.pop_front();
    }
    parked_ += count;
    parking_error_.clear();
    co_return true;
}

// Returns how many of what waits to be written are in the table already.
std::size_t bridge::drop_what_is_parked(const std::vector<event::parked_range>& ranges) {
    return std::erase_if(to_park_, [&](const event::parked& p) {
        const bool there = std::any_of(p.numbers.begin(), p.numbers.end(), [&](const auto& n) {
            // Of one without a number nobody knows.
            const auto* range = event::range_of(ranges, n.first);
            return range != nullptr && n.second != 0 && n.second <= range->last;
        });
        if (there) to_park_bytes_ -= p.payload.size();
        return there;
    });
}

bool bridge::may_take_back() const {
    return !finishing_ && confirmed_ && !holding_ && redis_.connected() &&
           waiting_bytes() < configuration_.redis_buffer_bytes / 2;
}

// True: something was taken or deleted, or all is back.
asio::awaitable<core::result<bool>> bridge::take_some_back() {
    const auto term = terms_;
    if (done_back_ != deleted_back_) {
        const auto id = done_back_;
        auto deleted = co_await parking_.forget(id);
        if (!deleted) co_return deleted.error();
        if (term == terms_) deleted_back_ = id;
    }
    if (!may_take_back()) co_return false;
    // Whoever leads next has to find the numbers that they get here.
    if (has_new_numbers_ && pusher_.has_saves()) co_return false;
    has_new_numbers_ = false;
    auto rows = co_await parking_.read(taken_back_, postgres::parking::events_a_statement);
    if (!rows) co_return rows.error();
    if (term != terms_ || !may_take_back()) co_return true;
    parking_error_.clear();
    for (const auto& p : *rows)
        take_back(p);
    if (!rows->empty()) co_return true;
    if (!to_park_.empty()) co_return true;
    // Everything is taken; what stands in the table is deleted as soon as Redis has it.
    if (deleted_back_ != taken_back_) co_return false;
    core::log_warning("redis: all events that were put aside in Postgres are back");
    forget_parked();
    note_all_taken();
    parking_.close();
    co_return false;
}

// Without the table what was to be put aside waits here.
void bridge::take_from_memory() {
    while (!to_park_.empty() && may_take_back()) {
        const auto p = std::move(to_park_.front());
        to_park_.pop_front();
        take_back(p);
    }
    if (to_park_.empty()) forget_parked();
}

void bridge::take_back(const event::parked& p) {
    const bool from_table = p.id != event::parked::no_id;
    if (from_table) taken_back_ = p.id;
    if (from_table && parked_ != 0) --parked_;
    const auto who = channels_.find(p.channel);
    if (who == channels_.end()) return;
    const auto now = steady::now();
    if (!p.was_taken() && !taken_before(who->second, p))
        cancel_all(who->second, p.payload, numbers_until(who->second, p));
    for (const auto i : who->second.routes)
        if (p.is_for(lanes_[i].route.name)) take(i, p.payload, number_of(lanes_[i], p), now);
}

// What an earlier leader has put aside comes before everything that was heard since.
asio::awaitable<core::result<void>> bridge::find_parked() {
    // Beside what is just being written.
    postgres::parking table(parking_settings(configuration_), [] { return 0; });
    auto ranges = co_await table.ranges();
    if (!ranges) co_return ranges.error();
    forget_parked();
    parked_before_ = std::move(*ranges);
    for (const auto& p : to_park_)
        event::widen(parked_before_, p, p);
    is_parking_ = !parked_before_.empty() || !to_park_.empty();
    if (is_parking_) core::log_warning("postgres: events that were put aside wait for their way back");
    co_return boost::system::in_place_value;
}

// What this process alone has, because Redis was never read, stays.
void bridge::forget_parked() {
    if (!is_unread_) {
        to_park_.clear();
        to_park_bytes_ = 0;
        park_failed_ = false;
    }
    parked_before_.clear();
    is_parking_ = false;
    has_new_numbers_ = false;
    parked_ = 0;
    taken_back_ = marked_back_ = done_back_ = deleted_back_ = event::parked::no_id;
}

}  // namespace postrider::service
