#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <vector>

#include "core/clock.hpp"
#include "core/error.hpp"
#include "net/signal.hpp"
#include "redis/reply.hpp"

namespace postrider::redis {

class pending;

// One caller's commands on their way: lives in the caller's coroutine, and takes itself out of the line when
// that is destroyed early.
class call {
 public:
    call(const asio::any_io_executor& executor, std::size_t commands);
    ~call();
    call(const call&) = delete;
    call& operator=(const call&) = delete;

    // Returns when every reply has come or the session has ended.
    asio::awaitable<void> wait();

    // After wait(): the replies, or why there are none.
    core::result<std::vector<reply>> take();

 private:
    friend class pending;

    std::size_t commands_;
    std::vector<reply> replies_;
    std::optional<core::failure> error_;
    pending* line_ = nullptr;  // null: not under way
    net::signal over_;
};

// The calls of one session in the order their commands were sent, which is the order of the replies.
class pending {
 public:
    pending() = default;
    ~pending();
    pending(const pending&) = delete;
    pending& operator=(const pending&) = delete;

    // The call must have at least one command.
    void add(call& c, core::steady::time_point now);

    // Gives the reply to the call in front; false: nobody waits for one.
    bool take(reply r, core::steady::time_point now);

    // Every call ends with this failure.
    void fail(const core::failure& why);

    bool empty() const { return line_.empty(); }

    // Since when the oldest command without a reply waits: since it was added, or since the reply before it.
    core::steady::time_point waiting_since() const { return waiting_since_; }

    // Lets that time begin anew, where the delay was not the server's; once until the next reply, else false.
    bool forgive(core::steady::time_point now);

 private:
    friend class call;

    struct place {
        call* who = nullptr;  // null: gone, its replies are dropped
        std::size_t left = 0;
    };

    void leave(const call& c);

    std::deque<place> line_;
    core::steady::time_point waiting_since_{};
    bool forgiven_ = false;
};

}  // namespace postrider::redis
