#pragma once

#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/rate.hpp"
#include "event/payload.hpp"
#include "net/signal.hpp"
#include "redis/pusher.hpp"
#include "redis/saved_state.hpp"
#include "redis/saver.hpp"
#include "service/configuration.hpp"
#include "service/lane.hpp"
#include "service/progress.hpp"

namespace postrider::service {

// The way of an event: source → payload → grouper → pusher → acknowledge.
class bridge {
 public:
    struct mishap {
        std::string words;
        core::wall::time_point at{};
    };

    bridge(const asio::any_io_executor& executor, const configuration& c, redis::client& redis);
    bridge(const bridge&) = delete;
    bridge& operator=(const bridge&) = delete;

    // Adopts what an earlier process left in Redis, waiting for Redis as long as it takes, and then calls
    // `ready`.
    asio::awaitable<void> restore(std::function<void()> ready);
    bool restored() const { return restored_; }

    // From the source: an event heard live.
    void notified(std::string_view channel, std::string_view payload);
    // From the source: an event of the catch-up query number `n`, and where that query starts.
    void caught_up(std::size_t n, std::string_view payload);
    std::string catch_up_since(std::size_t n);
    void catch_up_completed(std::size_t n);
    std::vector<std::string> catch_up_queries() const;
    std::vector<std::string> channels() const;

    // Sends off what is due, when it is due; returns after stop().
    asio::awaitable<void> keep_time();
    // Carries deliveries to Redis; returns after stop(), or after finish() once all is delivered and saved.
    asio::awaitable<void> carry() { return pusher_.run(); }

    // No more events come: time stands still, open groups are saved, what is on its way is delivered.
    void finish();
    void stop();
    // Events that are neither delivered nor saved.
    std::uint64_t unsaved() const;

    const std::deque<lane>& lanes() const { return lanes_; }
    const redis::pusher& carrier() const { return pusher_; }
    const std::optional<mishap>& last_mishap() const { return mishap_; }
    double events_per_second() const { return arrivals_.per_second(core::steady::now()); }
    double deliveries_per_second() const { return departures_.per_second(core::steady::now()); }

 private:
    struct subscribers {
        std::vector<std::size_t> routes;
        std::vector<std::size_t> cancels;
    };
    struct hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view s) const { return std::hash<std::string_view>{}(s); }
    };
    using steady_time = core::steady::time_point;

    void take(std::size_t route, std::string_view payload, steady_time now);
    void cancel_all(const subscribers& who, std::string_view payload);
    void cancel(std::size_t route, std::string_view payload);
    void schedule(lane& l, event::envelope e, std::string_view payload, steady_time now);
    void reject(lane& l, event::rejection why, std::string_view payload);

    void leave(std::size_t route, std::vector<event::group>& groups);
    void leave(std::size_t route, event::delayed d);
    void leave_at_once(std::size_t route, event::envelope e, std::string_view payload, steady_time now);
    void push_everything_open();

    void delivered(std::vector<redis::delivery> all);
    void refused(redis::delivery d, const std::string& why);
    void server_changed();
    void rearm(const lane& l);
    void save_progress(steady_time now);
    void write_progress(lane& l);
    steady_time next_deadline() const;

    asio::awaitable<core::result<void>> load();
    asio::awaitable<core::result<void>> note_first_start(const lane& l);
    void adopt_progress(lane& l, const redis::saved_progress& saved);
    void adopt_context(const std::string& name, const std::string& text);
    void adopt_delay(const std::string& name, const std::string& text);
    std::optional<std::size_t> find_route(std::string_view name, event::policy p) const;
    void remember(std::string words);

    const configuration& configuration_;
    redis::client& redis_;
    redis::saver saver_;
    redis::pusher pusher_;
    std::deque<lane> lanes_;
    std::unordered_map<std::string, subscribers, hash, std::equal_to<>> channels_;
    std::vector<std::size_t> catch_ups_;  // the routes that have one
    event::payload_reader reader_;
    progress progress_;
    net::signal timer_;
    net::signal retry_;  // of the restoring
    steady_time armed_ = steady_time::max();
    core::rate arrivals_;
    core::rate departures_;
    std::optional<mishap> mishap_;
    core::wall::time_point started_;
    bool restored_ = false;
    bool stopping_ = false;
    bool finishing_ = false;
};

}  // namespace postrider::service
