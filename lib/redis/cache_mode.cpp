// The cache's modes: when the memory takes over, and the way back.

#include "core/duration.hpp"
#include "core/log_line.hpp"
#include "redis/cache.hpp"
#include "redis/classify.hpp"

namespace postrider::redis {

using core::steady;

namespace {

constexpr std::size_t changes_a_round = 200;
constexpr std::size_t bytes_a_round = 1 << 20;
constexpr std::size_t swept_a_step = 500;

bool is_refusal(const reply& r) {
    return classify(r) == verdict::permanent;
}

}  // namespace

void cache::fall_back(std::string_view why) {
    if (mode_ == mode::memory || closed_) return;
    mode_ = mode::memory;
    answers_since_.reset();
    fell_back_ = steady::now();
    moved_ = 0;
    core::log_warning("cache: in memory while Redis is away: {}", why);
    wake_.notify();
}

void cache::returned() {
    mode_ = mode::redis;
    memory_.clear();
    backoff_.reset();
    core::log_warning(
        "cache: back in Redis after {}, {} changes went along",
        core::format_duration(std::chrono::duration_cast<core::milliseconds>(steady::now() - fell_back_)),
        moved_);
}

void cache::close() {
    closed_ = true;
    wake_.notify();
}

asio::awaitable<void> cache::run() {
    while (!closed_) {
        auto until = steady::now() + settings_.watch;
        if (mode_ == mode::memory) until = steady::now() + settings_.step;
        co_await wake_.wait_until(until);
        if (closed_) co_return;
        if (mode_ == mode::redis) {
            watch();
            continue;
        }
        memory_.sweep(steady::now(), swept_a_step);
        if (!redis_.connected()) answers_since_.reset();
        if (redis_.connected() && steady::now() >= next_try_) co_await go_back();
    }
}

void cache::watch() {
    if (!redis_.connected()) return fall_back("no connection");
    if (!held_) return;
    const auto why = held_->hindrance();
    if (!why.empty()) fall_back(why);
}

// What was changed before Redis answered again.
bool cache::is_held_saved() const {
    if (!held_) return true;
    return held_->hindrance().empty() && held_->saved_until(steady::now()) >= *answers_since_;
}

// Between the last round and the change of the mode nothing is awaited, so that no write can slip in between.
asio::awaitable<void> cache::go_back() {
    while (memory_.has_changes() && !closed_) {
        const bool moved = co_await move_some();
        if (moved) continue;
        next_try_ = steady::now() + backoff_.next();
        co_return;
    }
    // Without changes only an answer tells that Redis can be used.
    pipeline p;
    p.add({"PING"});
    const auto answered = co_await redis_.execute(std::move(p));
    const bool there = answered && !answered->front().is_error();
    if (!there) {
        answers_since_.reset();
        co_return;
    }
    if (!answers_since_) answers_since_ = steady::now();
    if (is_held_saved() && !memory_.has_changes() && !closed_) returned();
}

asio::awaitable<bool> cache::move_some() {
    const auto some = memory_.changes(changes_a_round, bytes_a_round, steady::now());
    pipeline p;
    for (const auto& c : some) {
        if (!c.value)
            p.add({"UNLINK", c.key});
        else if (c.time_to_live)
            p.add({"SET", c.key, *c.value, "PX", std::to_string(c.time_to_live->count())});
        else
            p.add({"SET", c.key, *c.value});
    }
    const auto answered = co_await redis_.execute(std::move(p));
    if (!answered) co_return false;
    bool all = true;
    for (std::size_t i = 0; i < some.size(); ++i) {
        const auto& r = (*answered)[i];
        const bool done = classify(r) == verdict::delivered;
        if (is_refusal(r)) ++refused_;
        // What Redis will never take must not keep the rest from it.
        if (done || is_refusal(r)) memory_.settled(some[i].key, some[i].number);
        if (done) ++moved_;
        all = all && (done || is_refusal(r));
    }
    co_return all;
}

}  // namespace postrider::redis
