// The bridge while Redis is away for long: events are put aside in Postgres, and come back in order.

#include <algorithm>

#include "core/log_line.hpp"
#include "event/unnumbered.hpp"
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
    if (parked_.is_parking()) return true;
    if (waiting_bytes() < configuration_.redis_buffer_bytes) return false;
    core::log_warning(
        "redis: {} bytes wait for it (REDIS_BUFFER_BYTES); from here on events are put aside in Postgres, in "
        "postrider.parked",
        waiting_bytes());
    parked_.begin();
    return true;
}

void bridge::park(event::parked p) {
    parked_.add(std::move(p));
    if (parked_.unwritten() == 1) park_again_.notify();
}

// What was heard while another led: what that one has put aside comes from the table; what it had before that
// comes first, and what came since goes behind.
void bridge::take_held(const event::hearing::heard& h) {
    const auto& who = channels_[h.channel];
    const auto now = steady::now();
    const auto until = numbers_until(who, h.cancels_until);
    if (!must_park()) return process(who, h.payload, h.number, now, h.only, until);
    auto p = numbered(who, h.number, h.only, h.cancels_until);
    const auto comes_first = [&](const auto& n) {
        const auto* range = event::range_of(parked_.before(), n.first);
        return range != nullptr && n.second < range->first;
    };
    const auto is_there = [&](const auto& n) {
        const auto* range = event::range_of(parked_.before(), n.first);
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
    const bool has_written = parked_.unwritten() == 0 && parked_.left_in_front() == 0;
    if (is_unread_) return is_sorted_ && has_written && (!restored_ || settled_);
    return !restored_ || (settled_ && has_written);
}

asio::awaitable<void> bridge::keep_parked() {
    auto work = carry_parked();
    co_await parking_.run(std::move(work));
    parked_.close();
}

asio::awaitable<void> bridge::carry_parked() {
    while (!stopping_ && !(finishing_ && has_parked())) {
        core::result<bool> done = false;
        if (is_unread_) {
            done = co_await park_unread();
        } else if (restored_ && parked_.is_parking()) {
            done = co_await parked_.write_some();
            if (done && !*done) done = co_await take_some_back();
        }
        if (done && !*done && parked_.left_in_front() != 0) done = co_await parked_.put_back();
        if (done && *done) continue;
        if (!done) {
            if (parked_.is_missing() && !is_unread_) take_from_memory();
            parked_.tell(done.error());
        }
        const bool again = is_unread_ || parked_.is_parking() || parked_.left_in_front() != 0;
        const auto until = again ? steady::now() + park_pause : steady::time_point::max();
        co_await park_again_.wait_until(until);
    }
}

bool bridge::may_take_back() const {
    return !finishing_ && confirmed_ && !holding_ && redis_.connected() &&
           waiting_bytes() < configuration_.redis_buffer_bytes / 2;
}

// True: something was taken or deleted, or all is back.
asio::awaitable<core::result<bool>> bridge::take_some_back() {
    const auto term = parked_.terms();
    auto deleted = co_await parked_.delete_done();
    if (!deleted) co_return deleted.error();
    if (!may_take_back()) co_return false;
    // Whoever leads next has to find the numbers that they get here.
    if (parked_.has_new_numbers() && pusher_.has_saves()) co_return false;
    auto events = co_await parked_.read_some();
    if (!events) co_return events.error();
    if (term != parked_.terms() || !may_take_back()) co_return true;
    parked_.took(*events);
    for (const auto& p : *events)
        take_back(p);
    if (!events->empty() || parked_.unwritten() != 0) co_return true;
    // Everything is taken; what stands in the table is deleted as soon as Redis has it.
    if (!parked_.is_deleted()) co_return false;
    core::log_warning("redis: all events that were put aside in Postgres are back");
    forget_parked();
    note_all_taken();
    parked_.close();
    co_return false;
}

// Without the table what was to be put aside waits here.
void bridge::take_from_memory() {
    while (parked_.unwritten() != 0 && may_take_back())
        take_back(*parked_.take_unwritten());
    if (parked_.unwritten() == 0) forget_parked();
}

void bridge::take_back(const event::parked& p) {
    const auto* who = channels_.find(p.channel);
    if (who == nullptr) return;
    const auto now = steady::now();
    if (!p.was_taken() && !taken_before(*who, p)) cancel_all(*who, p.payload, numbers_until(*who, p));
    for (const auto i : who->routes) {
        const auto& l = lanes_[i];
        if (p.is_for(l.route.name)) take(i, p.payload, number_of(p, l), now);
    }
}

// What an earlier leader has put aside comes before everything that was heard since; what this process has
// put aside itself comes behind all that waits here.
asio::awaitable<core::result<void>> bridge::find_parked() {
    auto ranges = co_await parked_.find();
    if (!ranges) co_return ranges.error();
    if (!restored_) forget_parked();
    parked_.take_over(std::move(*ranges));
    if (parked_.is_parking())
        core::log_warning("postgres: events that were put aside wait for their way back");
    co_return boost::system::in_place_value;
}

// What this process alone has, because Redis was never read, stays.
void bridge::forget_parked() {
    if (is_unread_)
        parked_.forget_written();
    else
        parked_.forget();
}

}  // namespace postrider::service
