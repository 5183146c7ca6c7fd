#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/backoff.hpp"
#include "core/clock.hpp"
#include "core/error.hpp"
#include "net/asio.hpp"
#include "postgres/connection.hpp"

namespace postrider::postgres {

struct listener_settings {
    std::string conninfo;
    std::vector<std::string> channels;
    std::vector<std::string> catch_ups;          // SQL with $1 = timestamptz; its first column is the payload
    core::milliseconds connect_timeout{10'000};  // for each host
    core::milliseconds heartbeat{10'000};        // of quiet, before the server is asked for a sign of life
    core::milliseconds heartbeat_timeout{4'000};
    core::milliseconds probe_timeout{2'000};      // for the notification to itself
    core::milliseconds catch_up_timeout{60'000};  // of each query; the server enforces it
    core::milliseconds backoff_first{1'000};
    core::milliseconds backoff_cap{30'000};
};

// Where the listener puts what it hears. Called on the loop's thread; must not block.
struct listener_sink {
    std::function<void(std::string_view channel, std::string_view payload)> notified;
    // Whether events can be taken yet; until then they are held back, and the catch-up waits. See wake().
    std::function<bool()> ready;
    // The time, as Postgres reads it, from which the catch-up of this index shall start.
    std::function<std::string(std::size_t catch_up)> since;
    std::function<void(std::size_t catch_up, std::string_view payload)> caught_up;
    // The catch-up of this index has run; from since() to here there may be a gap behind the newest event, so
    // that neither its time may be saved nor ids be forgotten. May be empty.
    std::function<void(std::size_t catch_up)> completed;
    // The status has changed: up, down, or one more attempt failed. May be empty.
    std::function<void()> changed;
};

// The `notify` source: one supervised session that listens. In this order on every connect: LISTEN, a
// notification to itself through a second connection (behind a transaction pooler it never arrives), the
// catch-up queries, then whatever was notified since the LISTEN. After that it drains the socket at all
// times, and after a while of quiet it asks the server for its channels, so that a half-open connection is
// found.
class listener {
 public:
    struct status {
        bool listening = false;
        core::steady::time_point since{};                  // when `listening` last changed
        std::optional<core::milliseconds> outage;          // the last one's length
        std::optional<std::chrono::microseconds> latency;  // of the last round trip
        std::uint64_t reconnects = 0;
        std::string last_error;      // of the connection; empty: none
        std::string catch_up_error;  // of the catch-up queries; empty: all ran
    };

    listener(const asio::any_io_executor& executor, listener_settings settings, listener_sink sink);

    // Returns after stop(). Connects again for ever.
    asio::awaitable<void> run();
    void stop();

    // Looks at sink.ready() again.
    void wake();

    const status& current() const { return status_; }

 private:
    asio::awaitable<void> supervise();
    asio::awaitable<core::failure> session();
    asio::awaitable<core::failure> use(connection& c);
    asio::awaitable<core::result<void>> start(connection& c);
    asio::awaitable<core::result<void>> listen(connection& c);
    asio::awaitable<core::result<void>> probe(connection& c);
    asio::awaitable<core::result<void>> catch_up(connection& c);
    asio::awaitable<core::result<void>> catch_up_one(connection& c, std::size_t i);
    asio::awaitable<core::failure> serve(connection& c);
    asio::awaitable<core::result<void>> beat(connection& c);
    void drain(connection& c);
    void go_live();
    void up(const connection& c);
    void down(const core::failure& why);

    asio::any_io_executor executor_;
    listener_settings settings_;
    listener_sink sink_;
    core::backoff backoff_;
    status status_;
    connection* current_ = nullptr;  // while a session serves
    bool ever_up_ = false;
    bool stopping_ = false;
    unsigned failed_attempts_ = 0;  // since the session was last up
    std::string probe_channel_;
    bool probe_heard_ = false;
    bool live_ = false;  // until then notifications are held back, so that the catch-up's events come first
    std::vector<std::pair<std::string, std::string>> held_;
    // By catch-up query, until it has run in this session: where it starts. It is kept when the query fails,
    // because the events heard meanwhile move the sink's own mark past the gap.
    std::vector<std::optional<std::string>> since_;
    std::vector<bool> caught_up_;
    asio::cancellation_signal cancel_;
};

}  // namespace postrider::postgres
