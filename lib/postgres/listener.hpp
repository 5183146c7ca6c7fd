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
#include "net/signal.hpp"
#include "postgres/catch_up.hpp"
#include "postgres/connection.hpp"
#include "postgres/election.hpp"

namespace postrider::postgres {

struct listener_settings {
    std::string conninfo;
    std::string name;  // one process of a name leads; empty: this one always does
    std::vector<std::string> channels;
    std::vector<std::string> catch_ups;          // SQL with $1 = timestamptz; its first column is the payload
    core::milliseconds connect_timeout{10'000};  // for each host
    core::milliseconds heartbeat{10'000};        // between two questions for a sign of life
    core::milliseconds heartbeat_timeout{4'000};
    core::milliseconds stand_interval{500};       // between two attempts to become the leader
    core::milliseconds probe_timeout{5'000};      // for the notification to itself
    core::milliseconds catch_up_timeout{60'000};  // of each query; the server enforces it
    core::milliseconds backoff_first{1'000};
    core::milliseconds backoff_cap{30'000};
};

// Where the listener puts what it hears. Called on the loop's thread; must not block.
struct listener_sink {
    // A session listens. What is heard from here to live() comes before what a catch-up may still bring, and
    // is to be held back.
    std::function<void()> began = [] {};
    std::function<void(std::string_view channel, std::string_view payload)> notified;
    // A word that every process of the name hears at the same place between the events.
    std::function<void(std::string_view marker)> marked = [](std::string_view) {};
    // This process leads, or another does; said once for each session, and again when it changes. `session`
    // is the listening session's process number in Postgres.
    std::function<void(int session)> elected = [](int) {};
    std::function<void()> stand_by = [] {};
    // Whether events can be taken; until then the catch-up waits. See wake().
    std::function<bool()> ready;
    // Whether this process, standing by, could lead on without a loss; those that could stand first.
    std::function<bool()> in_sync = [] { return false; };
    // The time, as Postgres reads it, from which the catch-up of this index shall start. Asked before every
    // attempt: until completed() what is heard meanwhile must not move it past the gap.
    std::function<std::string(std::size_t catch_up)> since;
    std::function<void(std::size_t catch_up, std::string_view payload)> caught_up;
    // The catch-up of this index has run; from since() to here there may be a gap behind the newest event, so
    // that neither its time may be saved nor ids be forgotten. May be empty.
    std::function<void(std::size_t catch_up)> completed;
    // Every catch-up has run or was refused: what was held back is to be taken.
    std::function<void()> live = [] {};
    // The session is over, and the lead with it.
    std::function<void()> ended = [] {};
    // The status has changed: up, down, or one more attempt failed. May be empty.
    std::function<void()> changed;
};

// The `notify` source: one supervised session that listens. In this order on every connect: LISTEN together
// with a marker, a notification to itself through a second connection (behind a transaction pooler it never
// arrives), the election, the catch-up queries. From the start it drains the socket at all times, and
// regularly it asks the server for its channels, so that a half-open connection is found, also while a
// catch-up runs.
class listener {
 public:
    struct status {
        bool listening = false;
        bool live = false;   // the catch-up has run in this session, or was refused; events are not held back
        bool leads = false;  // holds the name's lock
        bool stands_by = false;                            // another process does
        core::steady::time_point since{};                  // when `listening` last changed
        std::optional<core::milliseconds> outage;          // the last one's length
        std::optional<std::chrono::microseconds> latency;  // of the last round trip
        core::steady::duration away{0};                    // not listening since the start, up to `since`
        double queue_usage = 0;  // of the server's notification queue, 0 to 1, at the last heartbeat
        std::uint64_t reconnects = 0;
        std::string last_error;      // of the connection; empty: none
        std::string catch_up_error;  // of the last catch-up; empty: all its queries ran
    };

    listener(asio::any_io_executor executor, listener_settings settings, listener_sink sink);

    // Returns after stop(). Connects again for ever.
    asio::awaitable<void> run();
    void stop();

    // The sink has become ready: the catch-up runs, and live() follows.
    void wake();

    // Returns when everything that was notified before the call has been heard: true. False: at `limit`,
    // where the session ended meanwhile, or where there is none.
    asio::awaitable<bool> hear_until_now(core::steady::time_point limit);

    // Another process has claimed what this one leads: the session ends, and the next one stands anew.
    void resign();

    const status& current() const { return status_; }

 private:
    asio::awaitable<void> supervise();
    asio::awaitable<core::failure> session();
    asio::awaitable<core::failure> use(connection& c);
    asio::awaitable<core::result<void>> start(connection& c);
    asio::awaitable<core::result<void>> listen(connection& c);
    asio::awaitable<core::result<void>> probe(connection& c);
    // Through a second connection; what is notified comes to this session like everything else.
    asio::awaitable<core::result<void>> notify_myself(core::milliseconds to_connect, net::deadline limit);
    asio::awaitable<core::failure> serve(connection& c);
    asio::awaitable<core::result<void>> stand(connection& c);
    asio::awaitable<core::result<bool>> is_held_by_former_session(connection& c);
    asio::awaitable<core::result<bool>> stand_in_order(connection& c, net::deadline limit);
    asio::awaitable<void> go_live_when_caught_up();
    asio::awaitable<core::result<void>> beat(connection& c);
    core::failure half_open(const connection& c, core::failure why) const;
    void drain(connection& c);
    const std::string& marker_channel() const;
    std::vector<std::string> all_channels() const;
    void take(std::string_view channel, std::string_view payload);
    void up(const connection& c);
    void down(const core::failure& why);

    asio::any_io_executor executor_;
    listener_settings settings_;
    listener_sink sink_;
    core::backoff backoff_;
    status status_;
    net::signal woken_;
    net::signal heard_;
    bool ever_up_ = false;
    bool stopping_ = false;
    bool resigned_ = false;
    unsigned failed_attempts_ = 0;  // since the session was last up
    std::string probe_channel_;
    bool probe_heard_ = false;
    election election_;
    std::string election_channel_;  // empty: not contested
    std::string marker_;            // this session's
    bool marker_heard_ = false;
    enum class part { unknown, leader, standby } part_ = part::unknown;
    bool is_heir_ = false;              // holds the heirs' lock
    session_id id_;                     // this session's
    std::optional<session_id> led_as_;  // the last session that led, while no other process is known to have
    catch_up catch_up_;
    core::steady::time_point catch_up_again_{};
    asio::cancellation_signal cancel_;
};

}  // namespace postrider::postgres
