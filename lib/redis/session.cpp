#include "redis/session.hpp"

#include <algorithm>
#include <utility>

#include "core/duration.hpp"
#include "redis/greeting.hpp"

namespace postrider::redis {
namespace {

using clock = core::steady;

core::failure lost(const error_code& e) {
    return {core::errc::connection_lost, explain_loss(e)};
}

}  // namespace

session::session(const asio::any_io_executor& executor, const options& o, events e)
    : executor_(executor),
      options_(o),
      events_(std::move(e)),
      transport_(executor, o),
      outgoing_came_(executor),
      watch_again_(executor),
      ping_again_(executor),
      tasks_(executor, [this](std::string_view task, std::string_view words) {
          close({core::errc::connection_lost, "a bug in Postrider: the " + std::string(task) +
                                                  " of a Redis session ended with: " + std::string(words)});
      }) {}

asio::awaitable<core::failure> session::run() {
    connect_limit_ = clock::now() + options_.connect_timeout;
    const auto connected = co_await transport_.connect(connect_limit_);
    if (!connected) close(connected.error());
    if (!ended_) {
        tasks_.spawn("writer", write());
        tasks_.spawn("reader", read());
        tasks_.spawn("watchdog", watch());
        const bool welcomed = co_await greet();
        if (welcomed) {
            ready_ = true;
            tasks_.spawn("pinger", ping());
            events_.ready();
        }
        co_await tasks_.join();
    }
    co_return *ended_;
}

asio::awaitable<bool> session::greet() {
    pipeline commands = greeting(options_);
    call c(executor_, commands.size());
    submit(c, std::move(commands));
    co_await c.wait();
    const auto replies = c.take();
    if (ended_ || !replies) co_return false;
    const auto welcomed = welcome(options_, *replies);
    if (!welcomed) close(welcomed.error());
    co_return welcomed.has_value();
}

void session::submit(call& c, pipeline commands) {
    pending_.add(c, clock::now());
    if (outgoing_.empty()) {
        outgoing_ = commands.take_bytes();
    } else {
        outgoing_ += commands.bytes();
    }
    outgoing_came_.notify();
}

void session::close(core::failure why) {
    if (ended_) return;
    if (!ready_) explain_refusal(why);
    ready_ = false;
    pending_.fail(why);
    ended_ = std::move(why);
    transport_.close();
    outgoing_came_.notify();
    watch_again_.notify();
    ping_again_.notify();
}

void session::explain_refusal(core::failure& why) const {
    if (why.code != core::errc::connection_lost && why.code != core::errc::protocol) return;
    if (first_error_) {
        why = turned_away(*first_error_);
    } else if (!options_.tls && options_.unix_path.empty()) {
        why.message += "; where this is a TLS port, write rediss:// in REDIS_URL";
    }
}

asio::awaitable<void> session::write() {
    while (!ended_) {
        if (outgoing_.empty()) {
            co_await outgoing_came_.wait();
            continue;
        }
        // Whatever many callers have queued since the last write leaves in one.
        const std::string sending = std::exchange(outgoing_, {});
        const auto bytes = asio::buffer(sending);
        const error_code e = co_await transport_.write(bytes);
        // The reader finds the same end, and what the server may have said before it.
        if (e) co_return;
    }
}

asio::awaitable<void> session::read() {
    constexpr std::size_t at_once = 64 << 10;
    std::string buffer(at_once, '\0');
    while (!ended_) {
        const auto room = asio::buffer(buffer);
        const auto [e, size] = co_await transport_.read_some(room);
        if (ended_) co_return;
        if (size != 0) received({buffer.data(), size});
        if (e) close(lost(e));
    }
}

void session::received(std::string_view bytes) {
    reader_.feed(bytes);
    const auto now = clock::now();
    for (;;) {
        auto next = reader_.next();
        if (!next) return close(next.error());
        if (!*next) return;
        reply& r = **next;
        if (!ready_ && r.is_error() && !first_error_) first_error_ = r;
        if (!pending_.empty()) {
            pending_.take(std::move(r), now);
        } else if (r.is_error()) {
            return close(turned_away(r));
        } else {
            return close({core::errc::protocol, "the server sent a reply that nobody asked for"});
        }
    }
}

asio::awaitable<void> session::watch() {
    // A timer this late means that this process itself was held up (a paused container), and that the replies
    // may well be in the socket already.
    constexpr auto own_delay = std::chrono::milliseconds(500);
    while (!ended_) {
        const auto now = clock::now();
        auto due = now + options_.command_timeout;
        if (!pending_.empty()) due = pending_.waiting_since() + options_.command_timeout;
        if (!ready_) due = std::min(due, connect_limit_);
        if (now < due) {
            co_await watch_again_.wait_until(due);
        } else if (!ready_) {
            close({core::errc::timeout,
                   "connected, but no answer to the first commands within the deadlines "
                   "(REDIS_CONNECT_TIMEOUT, REDIS_SOCKET_TIMEOUT)"});
        } else if (now < due + own_delay || !pending_.forgive(now)) {
            close({core::errc::timeout, "no reply within " + core::format_duration(options_.command_timeout) +
                                            " (REDIS_SOCKET_TIMEOUT)"});
        }
    }
}

asio::awaitable<void> session::ping() {
    while (!ended_) {
        const auto sent = clock::now();
        pipeline commands;
        commands.add({"PING"});
        if (options_.must_be_primary) commands.add({"ROLE"});
        call c(executor_, commands.size());
        submit(c, std::move(commands));
        co_await c.wait();
        if (ended_) co_return;
        const auto received = clock::now();
        const auto replies = c.take();
        if (options_.must_be_primary && replies) {
            if (const auto primary = is_primary(replies->back()); !primary) co_return close(primary.error());
        }
        events_.pinged(std::chrono::duration_cast<std::chrono::microseconds>(received - sent));
        while (!ended_ && clock::now() < sent + options_.ping_interval)
            co_await ping_again_.wait_until(sent + options_.ping_interval);
    }
}

}  // namespace postrider::redis
