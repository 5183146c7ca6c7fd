// The pusher's second half: what the replies of a round mean.

#include <algorithm>

#include "core/log_line.hpp"
#include "redis/classify.hpp"
#include "redis/pusher.hpp"
#include "redis/replication.hpp"

namespace postrider::redis {

using core::steady;

// Whether it was done nobody knows; the ledger does, and the same batch asks it again.
void pusher::no_answer(const round& r, const std::string& why) {
    ++status_.retries;
    watched_.reset();
    for (const auto line : r.renewals)
        if (!lines_[line].line.empty()) push_failed(lines_[line], why);
    for (const auto line : r.pushes)
        push_failed(lines_[line], why);
    for (const auto line : r.saves) {
        lines_[line].saves.failed();
        if (lines_[line].saves.has_work()) saves_changed(line);
    }
}

void pusher::settle(const round& r, std::span<const reply> replies) {
    std::size_t at = r.loads;
    if (r.loads != 0) {
        scripts_loaded_ = !replies[0].is_error() && !replies[1].is_error();
        if (!scripts_loaded_)
            return cannot_load(r, replies[0].is_error() ? replies[0].text : replies[1].text);
    }
    for (const auto line : r.renewals) {
        const auto& answer = replies[at++];
        if (settle_renewal(lines_[line], answer) == outcome::deposed) return sink_.deposed(answer.text);
    }
    std::vector<std::size_t> again;
    const auto width = replies_a_push(redis_.settings());
    for (const auto line : r.pushes) {
        if (r.transaction == line) {
            const auto o = settle_transaction(lines_[line], replies.subspan(at, transaction_replies));
            at += transaction_replies;
            if (o == outcome::again) again.push_back(line);
            continue;
        }
        const auto answer = replicated(redis_.settings(), replies.subspan(at, width));
        at += width;
        const auto o = settle_push(lines_[line], answer);
        if (o == outcome::deposed) return sink_.deposed(answer.text);
        if (o == outcome::again) again.push_back(line);
    }
    if (!r.saves.empty()) status_.save_error.clear();
    for (const auto line : r.saves) {
        const auto& answer = replies[at++];
        auto& t = lines_[line];
        if (std::find(again.begin(), again.end(), line) != again.end()) {
            // A group that is pushed again deletes its context again, which the next group of its key may
            // have taken.
            t.saves.failed();
        } else if (settle_save(t, answer) == outcome::deposed) {
            return sink_.deposed(answer.text);
        }
        if (t.saves.has_work()) saves_changed(line);
    }
    if (r.watch) settle_watch(*r.watch, replies.subspan(at, watch_replies));
    // What could not be saved may have left meanwhile.
    if (!has_saves()) status_.save_error.clear();
}

// Without its scripts nothing else of the round was done.
void pusher::cannot_load(const round& r, const std::string& why) {
    for (const auto line : r.renewals)
        renewal_waits(lines_[line], why);
    for (const auto line : r.pushes) {
        lines_[line].refusal = why;
        wait_with(lines_[line], why);
        push_failed(lines_[line], why);
    }
    for (const auto line : r.saves) {
        save_again_with(lines_[line], why);
        lines_[line].saves.failed();
        saves_changed(line);
    }
}

// Behind a proxy the script may be loaded into one server and called on another, time and again: then it has
// to wait like everything that passes.
pusher::outcome pusher::settle_push(track& t, const reply& r) {
    const auto what = classify(r);
    const bool reloaded = std::exchange(t.reloads, what == verdict::reload);
    switch (what) {
        case verdict::delivered: {
            auto all = t.line.done();
            status_.finished += all.size();
            t.backoff.reset();
            t.waits = false;
            t.refusal.clear();
            push_answered(t);
            sink_.delivered(std::move(all));
            return outcome::done;
        }
        case verdict::reload:
            scripts_loaded_ = false;
            if (!reloaded) return outcome::again;
            break;
        case verdict::stale:
            return outcome::deposed;
        case verdict::permanent:
            // It may be half of it that is refused, behind the push itself: the ledger tells at the second
            // asking.
            if (t.line.ask_again()) return outcome::again;
            t.waits = false;
            t.refusal.clear();
            push_answered(t);
            // A key that may not be deleted could not be saved either, so the push does without it.
            if (r.text.starts_with("NOPERM") && t.line.forget_saved()) return outcome::done;
            if (auto d = t.line.refused()) {
                ++status_.finished;
                sink_.refused(std::move(*d), r.text);
            }
            return outcome::done;
        case verdict::reroute:
        case verdict::retry:
            break;
    }
    ++status_.retries;
    t.refusal = r.text;
    wait_with(t, r.text);
    push_failed(t, r.text);
    if (wants_reconnect(r)) redis_.reconnect(r.text);
    return outcome::again;
}

pusher::outcome pusher::settle_save(track& t, const reply& r) {
    const auto what = classify(r);
    if (what == verdict::stale) return outcome::deposed;
    const auto error = t.saves.replied(r);
    const bool reloaded = std::exchange(t.save_reloads, what == verdict::reload);
    if (what == verdict::reload) {
        scripts_loaded_ = false;
        if (!reloaded) return outcome::again;
    }
    if (error.empty()) {
        if (t.line.empty()) t.backoff.reset();
        t.save_waits = false;
        return outcome::done;
    }
    save_again_with(t, error);
    sink_.cannot_save();
    return outcome::again;
}

void pusher::save_again_with(track& t, const std::string& why) {
    t.retry_at = steady::now() + t.backoff.next();
    if (!std::exchange(t.save_waits, true))
        core::log_warning("redis: open groups cannot be saved, a kill would lose them: {}", why);
    status_.save_error = why;
}

void pusher::wait_with(track& t, const std::string& why) {
    t.retry_at = steady::now() + t.backoff.next();
    if (!std::exchange(t.waits, true))
        core::log_warning("redis: a push to {} has to wait: {}", t.line.target().name, why);
}

}  // namespace postrider::redis
