#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "core/backoff.hpp"
#include "net/signal.hpp"
#include "redis/client.hpp"
#include "redis/delivery.hpp"
#include "redis/push_line.hpp"
#include "redis/saver.hpp"

namespace postrider::redis {

struct pusher_sink {
    // Redis has these, in order.
    std::function<void(std::vector<delivery>)> delivered;
    // Redis will never take this one; the reply says why.
    std::function<void(delivery, const std::string& why)> refused;
    // Connected to a server that may be another one, or one that lost its data.
    std::function<void()> server_changed;
    // Redis answers, but refuses to hold open groups.
    std::function<void()> cannot_save;
};

// Carries deliveries to their targets, exactly once and in order, and lets the saver write between them.
// Nothing leaves a line before Redis has answered for it: a lost connection or a passing refusal only makes
// it wait.
class pusher {
 public:
    struct status {
        std::uint64_t accepted = 0;  // deliveries taken
        std::uint64_t finished = 0;  // delivered or refused
        std::uint64_t retries = 0;   // round trips that have to be made again
        std::string last_error;      // of a passing refusal; empty: the last round trip went well
        std::string save_error;      // why open groups cannot be saved; empty: they are
    };

    // `writer` names this process in the ledgers; `linger` is how long changes of open groups are collected.
    pusher(const asio::any_io_executor& executor, client& redis, saver& saves, pusher_sink sink,
           std::string writer, core::milliseconds linger);

    // The line to a target; routes to the same target share one. Valid as long as the pusher.
    std::size_t line_to(const event::target& to);

    void add(std::size_t line, delivery d);
    // The saver has something new.
    void saves_changed();

    // Returns after stop(), or after finish() once nothing is left.
    asio::awaitable<void> run();
    // No more comes: run() returns when everything is delivered and saved.
    void finish();
    void stop();

    bool empty() const;
    std::size_t waiting() const;
    std::size_t waiting_bytes() const;
    const status& current() const { return status_; }

 private:
    struct round {
        pipeline commands;
        std::size_t loads = 0;
        std::vector<std::size_t> lines;
        std::size_t saves = 0;
    };

    asio::awaitable<void> wait_for_work();
    round next_round();
    void encode(pipeline& p, const push_line& line, const batch& b) const;
    // Handles the replies; true when something has to be tried again after a pause.
    bool settle(const round& r, const std::vector<reply>& replies);
    bool settle_line(push_line& line, const reply& r);
    asio::awaitable<void> pause();

    client& redis_;
    saver& saves_;
    pusher_sink sink_;
    std::string writer_;
    core::milliseconds linger_;
    std::vector<push_line> lines_;
    net::signal work_;
    net::signal pause_;
    core::backoff backoff_;
    status status_;
    std::string push_sha_;
    std::string context_sha_;
    std::uint64_t known_generation_ = 0;
    bool scripts_loaded_ = false;
    core::steady::time_point flush_at_ = core::steady::time_point::max();
    bool finishing_ = false;
    bool stopping_ = false;
};

}  // namespace postrider::redis
