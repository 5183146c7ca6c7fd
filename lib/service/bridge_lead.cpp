// The bridge's part in an election: how it stands by, takes over and steps down.

#include <algorithm>

#include "core/backoff.hpp"
#include "core/duration.hpp"
#include "core/log_line.hpp"
#include "service/bridge.hpp"

namespace postrider::service {

using core::steady;

namespace {

constexpr core::milliseconds forget_interval{1'000};

// How often a standby asks whether the leader has done what came before, and for how long.
constexpr core::milliseconds sync_interval{200};
constexpr core::milliseconds sync_limit{15'000};

core::failure unread_groups(core::failure why) {
    why.message = "redis: open groups of an earlier run cannot be read from Redis yet: " + why.message;
    return why;
}

}  // namespace

void bridge::elected(int session) {
    elected_ = true;
    ++elections_;
    parked_.led_by(session);
    confirmed_ = false;
    is_sorted_ = false;
    reign_.notify();
    park_again_.notify();
}

void bridge::stand_by() {
    elected_ = false;
    parked_.led_by(0);
    deposed_ = false;
    if (!std::exchange(stood_by_, true)) core::log_warning("standing by: another process leads");
    if (restored_) step_down("the lock in Postgres is held by another process");
    if (std::exchange(is_unread_, false)) forget_parked();
}

void bridge::session_ended() {
    // With a catch-up, what was held back waits for the next one, which brings the older events first.
    if (ready() && catch_ups_.empty()) live();
    elected_ = false;
    parked_.led_by(0);
}

// What leads from now on has heard what is dropped here, or finds it in Redis.
void bridge::step_down(const std::string& why) {
    core::log_warning("stepping down: {}", why);
    pusher_.step_down();
    for (auto& l : lanes_)
        l.forget();
    forget_parked();
    // What is written without numbers is not dropped, and so its write counts.
    if (!is_unread_) parked_.end_term();
    restored_ = false;
    confirmed_ = false;
    holding_ = true;
    reign_.notify();
}

// To claim the targets back at once would depose a rightful leader: first Postgres has to say who leads.
void bridge::deposed(const std::string& why) {
    step_down(why);
    deposed_ = true;
    elected_ = false;
    parked_.led_by(0);
    if (on_deposed_) on_deposed_();
}

// Who has claimed the targets of this name would hold its lock, if the lock were in this database.
void bridge::tell_namesake() {
    const auto words = fmt::format(
        "another process with the name '{}' has claimed the targets in Redis, and does not hold the lock of "
        "that name in this database; bridges of different databases need different names (POSTRIDER_NAME)",
        configuration_.name);
    core::log_error("{}", words);
    journal_.remember(words);
}

asio::awaitable<void> bridge::reign(std::function<void()> ready, std::function<void()> deposed) {
    on_deposed_ = std::move(deposed);
    core::backoff pause(core::milliseconds(200), core::milliseconds(5'000), 1);
    while (!stopping_ && !finishing_) {
        if (!elected_ || confirmed_) {
            co_await stand();
            continue;
        }
        const bool connected = co_await redis_.wait_connected();
        if (!connected) co_return;
        const auto done = co_await take_over();
        if (done) {
            pause.reset();
            hindrance_.clear();
            timer_.notify();  // adopted groups may be due
            ready();
            continue;
        }
        if (done.error().code == core::errc::server_error) cannot_take_over(done.error().message);
        const auto until = steady::now() + pause.next();
        co_await reign_.wait_until(until);
    }
}

// Said once, however often it is tried again.
void bridge::cannot_take_over(const std::string& why) {
    if (hindrance_ == why) return;
    hindrance_ = why;
    core::log_error("{}", why);
    journal_.remember(why);
}

// Nothing to do but to wait, and to forget of what is held whatever the leader has done.
asio::awaitable<void> bridge::stand() {
    const bool has_work = hearing_.held() != 0 || (stood_by_ && !in_sync_);
    if (!elected_ && has_work && redis_.connected()) co_await forget_done();
    if (finishing_ || (elected_ && !confirmed_)) co_return;
    const auto waits_since = std::max(began_, redis_.current().since);
    if (!elected_ && stood_by_ && !in_sync_ && redis_.connected() &&
        steady::now() - waits_since > sync_limit) {
        core::log_warning("standing by: within {} the leader has not said that what came before is done",
                          core::format_duration(sync_limit));
        in_sync_ = true;
    }
    const auto pause = in_sync_ ? forget_interval : sync_interval;
    const auto until = elected_ ? steady::time_point::max() : steady::now() + pause;
    co_await reign_.wait_until(until);
}

asio::awaitable<core::result<void>> bridge::take_over() {
    // In the middle the session may end, another process lead, and this one be elected again.
    const auto election = elections_;
    const auto over = [this, election] { return !elected_ || election != elections_ || finishing_; };
    auto kept = co_await pusher_.claim();
    if (!kept) co_return unread_groups(kept.error());
    // Also when this process is no longer elected: by the epoch that it has now nobody would refuse it.
    if (restored_ && !*kept) step_down("another process has led since");
    if (over()) co_return core::failure{core::errc::stopped, "no longer elected"};
    if (restored_ && !is_unread_) {
        confirmed_ = true;
        co_return boost::system::in_place_value;
    }
    if (std::exchange(deposed_, false)) tell_namesake();
    // Nobody else writes there any more, so that this is all there is.
    const auto found = co_await find_parked();
    if (!found && over()) co_return core::failure{core::errc::stopped, "no longer elected"};
    if (!found) {
        cannot_take_over(
            "postgres: events that were put aside cannot be looked for yet, and nothing is taken before "
            "them: " +
            found.error().message);
        co_return core::failure{core::errc::stopped, "postrider.parked cannot be read"};
    }
    if (restored_) {
        if (over()) co_return core::failure{core::errc::stopped, "no longer elected"};
        number_parked();
        confirmed_ = true;
        co_return boost::system::in_place_value;
    }
    const auto loaded = co_await load();
    if (!loaded || over()) {
        for (auto& l : lanes_)
            l.forget();
        forget_parked();
        if (!loaded) co_return unread_groups(loaded.error());
        co_return core::failure{core::errc::stopped, "no longer elected"};
    }
    restored_ = true;
    confirmed_ = true;
    is_unread_ = false;
    // At a start with nobody else it is no change.
    const auto level = std::exchange(stood_by_, false) ? spdlog::level::warn : spdlog::level::info;
    core::log_line(level, "leading", {});
    pusher_.lead();
    park_again_.notify();
    cancel_again();
    co_return boost::system::in_place_value;
}

// A leader that was cut from Redis alone may have cancelled what still waits there.
void bridge::cancel_again() {
    for (const auto& h : lately_cancelling_.take(steady::now())) {
        const auto& who = channels_[h.channel];
        cancel_all(who, h.payload, numbers_until(who, h.cancels_until, 0));
    }
}

// How far a route is by the leader's count, where this process can translate it.
asio::awaitable<core::result<void>> bridge::forget_done() {
    std::vector<redis::saved_place> places;
    for (const auto& l : lanes_) {
        auto place = l.keys.place(l.route.name);
        auto behind = l.keys.behind(l.route.name);
        const auto saved = co_await redis::load_place(redis_, std::move(place), std::move(behind));
        if (!saved) co_return saved.error();
        places.push_back(*saved);
    }
    if (!elected_ && !restored_) forget_done(places);
    co_return boost::system::in_place_value;
}

void bridge::forget_done(const std::vector<redis::saved_place>& places) {
    std::vector<event::numbering> numbers;
    for (std::size_t i = 0; i < lanes_.size(); ++i)
        numbers.emplace_back(hearing_, lanes_[i].channel, places[i].markers, places[i].number);
    const auto is_done = [&](std::size_t channel, std::uint64_t heard) {
        const auto& routes = channels_[channel].routes;
        return std::all_of(routes.begin(), routes.end(), [&](std::size_t i) {
            const auto number = numbers[i].of(heard);
            return number != 0 && number <= places[i].number;
        });
    };
    // Where a channel only cancels, no place says what the leader has done with its events.
    hearing_.forget_done(is_done, [this](event::hearing::heard h) {
        if (channels_[h.channel].routes.empty()) lately_cancelling_.add(std::move(h));
    });
    in_sync_ = in_sync_ || is_before_session_done(numbers, places);
}

bool bridge::is_before_session_done(const std::vector<event::numbering>& numbers,
                                    const std::vector<redis::saved_place>& places) const {
    for (std::size_t i = 0; i < lanes_.size(); ++i) {
        const auto last = numbers[i].before(hearing_.sessions(lanes_[i].channel).back());
        if (!last || *last > places[i].number) return false;
    }
    return true;
}

}  // namespace postrider::service
