#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/backoff.hpp"
#include "core/breaker.hpp"
#include "core/histogram.hpp"
#include "net/signal.hpp"
#include "redis/client.hpp"
#include "redis/delivery.hpp"
#include "redis/names.hpp"
#include "redis/place.hpp"
#include "redis/push_call.hpp"
#include "redis/push_line.hpp"
#include "redis/saver.hpp"

namespace postrider::redis {

struct pusher_sink {
    // Redis has these, in order.
    std::function<void(std::vector<delivery>)> delivered;
    // Redis will never take this one; the reply says why.
    std::function<void(delivery, const std::string& why)> refused;
    // Where a route stands, for those who take over.
    std::function<place(std::size_t route)> place_of;
    // What stands in a stream's entry beside its data: name and value by turns, always the same for the same
    // delivery.
    std::function<std::vector<std::string>(const delivery& d)> stream_fields;
    // Connected to a server that may be another one, or one that lost its data.
    std::function<void()> server_changed;
    // Redis answers, but refuses to hold open groups.
    std::function<void()> cannot_save;
    // Another process has claimed a target; nothing of ours is taken any more.
    std::function<void(const std::string& why)> deposed;
};

// What the savers need to know; `groups_of` gives the open groups of the routes of one line.
struct saver_settings {
    std::function<open_groups(std::size_t line)> groups_of;
    std::vector<std::string> route_names;
    core::milliseconds context_ttl{0};
    core::milliseconds linger{0};  // how long changes are collected before they are written
};

// Carries deliveries to their targets, exactly once and in order, and lets the savers write between them.
// Nothing leaves a line before Redis has answered for it: a lost connection or a passing refusal only makes
// it wait, and a line that waits does not hold up the others.
//
// On a new connection a line first raises its epoch, so that what the former one still carries is refused,
// however late it arrives: nothing of it can be done twice, or bring back what has left.
//
// Each line has a circuit breaker. A failure is a push that was sent and got no answer (lost connection, time
// out), or an answer that says "not now" (OOM, READONLY, LOADING, …); failures of the connection while
// nothing is sent are the client's own affair, and what Redis refuses for good is an answer. While the
// breaker is open the line sends nothing, open groups neither; then one batch goes as the trial, sooner if
// the server came back meanwhile.
//
// A large batch goes to a list in a transaction, if the connection has watched the target's epoch since this
// writer was seen to be the one: then nobody can have followed it unnoticed. Every other batch, and every one
// that is sent again, goes by the script alone, which looks at the epoch and the ledger itself.
class pusher {
 public:
    struct status {
        std::uint64_t accepted = 0;  // deliveries taken
        std::uint64_t finished = 0;  // delivered or refused
        std::uint64_t retries = 0;   // round trips that have to be made again
        // Of the answered round trips, in seconds.
        core::histogram latency{
            {.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5}};
        std::string save_error;  // why open groups cannot be saved; empty: they are
    };

    // Of the line whose breaker stands worst.
    struct breaker_status {
        core::breaker::state state = core::breaker::state::closed;
        core::steady::time_point since{};  // the epoch: closed from the beginning
        std::string reason;                // names target and failure; empty: closed
    };

    // `writer` names this process in the ledgers, and what it keeps in Redis is the bridge's.
    pusher(const asio::any_io_executor& executor, client& redis, saver_settings saves, pusher_sink sink,
           std::string writer, std::string bridge);
    pusher(const pusher&) = delete;
    pusher& operator=(const pusher&) = delete;
    ~pusher() { redis_.on_connect({}); }

    // The line to a target; routes to the same target share one. Valid as long as the pusher.
    std::size_t line_to(const event::target& to);
    // What the bridge keeps in Redis for the line's target.
    const target_keys& keys(std::size_t line) const { return lines_[line].keys; }

    void add(std::size_t line, delivery&& d);
    // Whether a delivery that is saved under this name is still to be pushed.
    bool holds(std::size_t line, std::string_view saved_as) const {
        return lines_[line].line.holds(saved_as);
    }
    // What is kept beside a line's target; after a change of it, or of the open groups, saves_changed().
    saver& saves(std::size_t line) { return lines_[line].saves; }
    void saves_changed(std::size_t line);

    // Becomes the one writer of every target. True: it was that all the time, so that everything stands as
    // this process knows it. Errors: the connection's, or server_error with Redis' words.
    asio::awaitable<core::result<bool>> claim();
    // Carries from now on what is added.
    void lead();
    // Carries nothing until lead(), and forgets what is to be saved. Returns what waited, in order for each
    // line; of the batch under way nobody knows whether Redis has it.
    std::vector<delivery> step_down();

    // Returns after stop(), or after finish() once nothing is left.
    asio::awaitable<void> run();
    // No more comes: run() returns when everything is delivered and saved.
    void finish();
    void stop();

    std::size_t lines() const { return lines_.size(); }
    // Deliveries of one line since the start: all that were taken, and those of them that are delivered,
    // refused or given back.
    std::uint64_t accepted(std::size_t line) const { return lines_[line].line.accepted(); }
    std::uint64_t finished(std::size_t line) const { return lines_[line].line.finished(); }

    bool empty() const;
    std::size_t waiting() const;
    std::size_t waiting_bytes() const;
    bool has_saves() const;
    // Every change made before this time stands in Redis.
    core::steady::time_point saved_until(core::steady::time_point now) const;
    // The name of the key that tells this process's last batch of a line.
    std::string ledger(std::size_t line) const;
    const status& current() const { return status_; }
    breaker_status breaker_now() const;
    // Of each target, in the order of their lines.
    std::vector<std::pair<std::string_view, core::breaker::state>> breakers() const;
    // Why pushes have to wait, each with its target in front; empty: none does.
    std::string refusals() const;

 private:
    // One target.
    struct track {
        push_line line;
        target_keys keys;
        saver saves;
        core::backoff backoff;
        core::breaker breaker;
        std::uint64_t epoch = 0;
        std::uint64_t of_generation = 0;  // the connection that the epoch is for, see renew()
        std::uint64_t raises = 0;         // by claims and renewals
        core::steady::time_point flush_at = core::steady::time_point::max();
        core::steady::time_point retry_at{};  // after a passing refusal
        bool waits = false;                   // said so in the log, of its pushes
        bool save_waits = false;              // and of what is saved
        std::string refusal = {};             // why its pushes wait; empty: they do not
        bool reloads = false;                 // its last push found the script unknown
        bool save_reloads = false;            // and its last save
    };
    struct round {
        pipeline commands;
        std::size_t loads = 0;
        std::vector<std::size_t> renewals;
        std::vector<std::size_t> pushes;
        std::vector<std::size_t> saves;
        std::optional<std::size_t> transaction;  // the line whose push is one, see append_transaction()
        std::optional<std::size_t> watch;        // the line whose next push may be one
    };
    enum class outcome { done, again, deposed };

    // In ms: far longer than an attempt whose answer was lost may be followed by the next.
    static constexpr std::string_view raised_ttl = "604800000";

    core::steady::time_point due(const track& t) const;
    asio::awaitable<void> wait_for_work();
    bool finished() const;
    round next_round();
    void load_scripts(round& r);
    void renew(std::size_t line, round& r);
    outcome settle_renewal(track& t, const reply& answer);
    bool push(std::size_t line, round& r);
    void save(std::size_t line, round& r);
    bool may_use_transactions(const track& t, const batch& b) const;
    outcome settle_transaction(track& t, std::span<const reply> replies);
    void settle_watch(std::size_t line, std::span<const reply> replies);
    void no_answer(const round& r, const std::string& why);
    void settle(const round& r, std::span<const reply> replies);
    void cannot_load(const round& r, const std::string& why);
    outcome settle_push(track& t, const reply& r);
    outcome settle_save(track& t, const reply& r);
    void renewal_waits(track& t, const std::string& why);
    void wait_with(track& t, const std::string& why);
    void save_again_with(track& t, const std::string& why);
    bool may_send(track& t, core::steady::time_point now);
    void try_anew();
    void push_failed(track& t, const std::string& why);
    void push_answered(track& t);

    client& redis_;
    saver_settings saver_settings_;
    pusher_sink sink_;
    std::string writer_;
    std::string bridge_;
    std::deque<track> lines_;
    net::signal work_;
    status status_;
    std::string push_sha_;
    std::string save_sha_;
    std::uint64_t known_generation_ = 0;
    bool scripts_loaded_ = false;
    std::optional<std::size_t> watched_;  // the line whose epoch this connection watches
    bool transactions_refused_ = false;
    bool leading_ = false;
    std::uint64_t term_ = 0;  // counts lead() and step_down(): an answer from an earlier one means nothing
    bool finishing_ = false;
    bool stopping_ = false;
};

}  // namespace postrider::redis
