// The bridge's part in an election: what it holds while another leads, and how it takes over.
#include <spdlog/spdlog.h>

#include <algorithm>

#include "core/backoff.hpp"
#include "core/duration.hpp"
#include "redis/names.hpp"
#include "service/bridge.hpp"

namespace postrider::service {

using core::steady;

namespace {

// Of the newest that a standby holds the leader may not have written down yet.
constexpr std::size_t least_newest_bytes = 1 << 20;

// How often a standby that holds much asks what the leader has done.
constexpr core::milliseconds early_forget_interval{50};

constexpr core::milliseconds forget_interval{1'000};

// How often a standby asks whether the leader has done what came before, and for how long.
constexpr core::milliseconds sync_interval{200};
constexpr core::milliseconds sync_limit{15'000};

core::failure unread_groups(core::failure why) {
    why.message = "redis: open groups of an earlier run cannot be read from Redis yet: " + why.message;
    return why;
}

}  // namespace

void bridge::session_began() {
    hearing_.gap();
    holding_ = true;
    in_sync_ = false;
    began_ = steady::now();
    reign_.notify();
}

void bridge::marked(std::string_view marker) {
    if (!hearing_.mark(marker) || !restored_) return;
    for (auto& l : lanes_) {
        const auto number = l.numbers.before(hearing_.last(l.channel));
        if (!number) continue;
        event::numbering::add(l.markers, {std::string(marker), *number});
        note_markers(l, std::nullopt);
    }
    note_all_taken();
}

// All that was heard is under way: once it is done Redis shall say so, also where no event follows. Whoever
// has begun to listen at the latest marker waits for that.
void bridge::note_all_taken() {
    if (!restored_ || holding_ || is_parking_) return;
    for (auto& l : lanes_)
        if (const auto number = l.numbers.before(hearing_.last(l.channel))) note_taken(l, *number);
}

void bridge::elected(int session) {
    elected_ = true;
    ++elections_;
    leader_ = session;
    confirmed_ = false;
    is_sorted_ = false;
    reign_.notify();
    park_again_.notify();
}

void bridge::stand_by() {
    elected_ = false;
    leader_ = 0;
    if (!std::exchange(stood_by_, true)) spdlog::warn("standing by: another process leads");
    if (restored_) step_down("the lock in Postgres is held by another process");
    if (std::exchange(is_unread_, false)) forget_parked();
}

void bridge::session_ended() {
    // With a catch-up, what was held back waits for the next one, which brings the older events first.
    if (ready() && catch_ups_.empty()) live();
    elected_ = false;
    leader_ = 0;
}

// What leads from now on has heard what is dropped here, or finds it in Redis.
void bridge::step_down(const std::string& why) {
    spdlog::warn("stepping down: {}", why);
    pusher_.step_down();
    for (auto& l : lanes_)
        l.forget();
    forget_parked();
    ++terms_;
    restored_ = false;
    confirmed_ = false;
    holding_ = true;
    reign_.notify();
}

void bridge::hold(event::hearing::heard h) {
    if (elected_ && !restored_) return hold_unread(std::move(h));
    hearing_.hold(std::move(h));
    if (restored_) return;
    // The leader's memory is bounded by as much; what comes then it puts aside in Postgres.
    const auto oldest = configuration_.redis_buffer_bytes;
    const auto forgotten = hearing_.forget_between(oldest, std::max(oldest / 4, least_newest_bytes));
    if (forgotten != 0 && !forgetting_)
        spdlog::warn(
            "standing by: more than {} bytes wait for the leader to deliver or save them; what it puts aside "
            "in Postgres is not held here any more",
            hearing_.bytes());
    forgetting_ = !hearing_.holes().empty();
    const auto now = steady::now();
    if (hearing_.bytes() < oldest / 2 || now - looked_ < early_forget_interval || !redis_.connected()) return;
    looked_ = now;
    reign_.notify();
}

void bridge::live() {
    if (!ready()) return;
    holding_ = false;
    release();
}

// What this process has not held is in the table, or known to be done, unless the leader could not write it.
void bridge::tell_holes() {
    for (const auto& hole : hearing_.holes()) {
        std::uint64_t missing = 0;
        for (const auto i : by_channel_[hole.channel]->routes) {
            const auto& l = lanes_[i];
            const auto last = l.numbers.of(hole.last);
            // Of a session that no leader can tell from others nobody knows what became of it.
            if (last == 0) {
                missing = std::max(missing, hole.last - hole.first + 1);
                continue;
            }
            const auto first = std::max(last - (hole.last - hole.first), l.taken + 1);
            if (last < first) continue;
            const auto* range = event::range_of(parked_before_, l.route.name);
            auto there = std::uint64_t{0};
            if (range != nullptr && range->last >= first && range->first <= last)
                there = std::min(last, range->last) - std::max(first, range->first) + 1;
            missing = std::max(missing, last - first + 1 - there);
        }
        if (missing == 0) continue;
        auto words = fmt::format(
            "taking over: {} events on channel '{}' were neither held here nor delivered, saved or put aside "
            "by the former leader, as far as is known; they are lost unless their route catches up",
            missing, *by_channel_[hole.channel]->name);
        spdlog::warn("{}", words);
        remember(std::move(words));
    }
    hearing_.forget_holes();
    forgetting_ = false;
}

void bridge::release() {
    tell_holes();
    while (auto h = hearing_.take())
        take_held(*h);
    parked_before_.clear();
    note_all_taken();
}

// Of what a catch-up holds back at the end, that which no later catch-up would bring.
void bridge::finish_held() {
    while (auto h = hearing_.take()) {
        const auto& who = *by_channel_[h->channel];
        if (h->only.empty() && !taken_before(who, h->payload, h->number)) cancel_all(who, h->payload);
        for (const auto i : who.routes)
            if (!lanes_[i].seen && is_for(i, h->only))
                take(i, h->payload, lanes_[i].numbers.of(h->number), steady::now());
    }
}

// To claim the targets back at once would depose a rightful leader: first Postgres has to say who leads.
void bridge::deposed(const std::string& why) {
    step_down(why);
    elected_ = false;
    leader_ = 0;
    if (on_deposed_) on_deposed_();
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
    spdlog::error("{}", why);
    remember(why);
}

// Nothing to do but to wait, and to forget of what is held whatever the leader has done.
asio::awaitable<void> bridge::stand() {
    const bool has_work = hearing_.held() != 0 || (stood_by_ && !in_sync_);
    if (!elected_ && has_work && redis_.connected()) co_await forget_done();
    if (finishing_ || (elected_ && !confirmed_)) co_return;
    if (!elected_ && stood_by_ && !in_sync_ && steady::now() - began_ > sync_limit) {
        spdlog::warn("standing by: within {} the leader has not said that what came before is done",
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
    if (over()) co_return core::failure{core::errc::stopped, "no longer elected"};
    if (*kept && restored_) {
        confirmed_ = true;
        co_return boost::system::in_place_value;
    }
    if (restored_) step_down("another process has led since");
    // Nobody else writes there any more, so that this is all there is.
    const auto found = co_await find_parked();
    if (!found) {
        cannot_take_over(
            "postgres: events that were put aside cannot be looked for yet, and nothing is taken before "
            "them: " +
            found.error().message);
        co_return core::failure{core::errc::stopped, "postrider.parked cannot be read"};
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
    spdlog::log(level, "leading");
    pusher_.lead();
    park_again_.notify();
    co_return boost::system::in_place_value;
}

// How far a route is by the leader's count, where this process can translate it.
asio::awaitable<core::result<void>> bridge::forget_done() {
    std::vector<redis::saved_place> places;
    for (const auto& l : lanes_) {
        const auto& to = l.route.target.name;
        auto place = redis::place_name(to, l.route.name);
        auto behind = redis::behind_name(to, l.route.name);
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
    hearing_.forget_done([&](std::size_t channel, std::uint64_t heard) {
        const auto& routes = by_channel_[channel]->routes;
        return std::all_of(routes.begin(), routes.end(), [&](std::size_t i) {
            const auto number = numbers[i].of(heard);
            return number != 0 && number <= places[i].number;
        });
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
