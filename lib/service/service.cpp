#include "service/service.hpp"

#include <csignal>

#include "core/duration.hpp"
#include "core/log.hpp"
#include "core/log_line.hpp"
#include "http/endpoints.hpp"
#include "http/server.hpp"
#include "net/loop_lag.hpp"
#include "net/task_group.hpp"
#include "postgres/dead_letter_box.hpp"
#include "postgres/listener.hpp"
#include "redis/cache.hpp"
#include "redis/client.hpp"
#include "service/bridge.hpp"
#include "service/open_contexts.hpp"
#include "service/views.hpp"

namespace postrider::service {
namespace {

using core::steady;

// Together with the HTTP server's last second this stays within the 8 s that the contract gives a stop.
constexpr core::milliseconds drain_time{4'000};
constexpr core::milliseconds drain_time_without_redis{2'000};
constexpr core::milliseconds hear_time{3'000};
constexpr core::milliseconds settle_time{6'000};  // what is put aside included
constexpr core::milliseconds letter_time{1'000};
constexpr core::milliseconds log_interval{1'000};

postgres::listener_settings source_settings(const configuration& c, const bridge& b) {
    postgres::listener_settings s;
    s.conninfo = c.postgres_url;
    s.name = c.name;
    s.channels = b.channels();
    s.catch_ups = b.catch_up_queries();
    s.connect_timeout = c.postgres_connect_timeout;
    s.heartbeat = c.postgres_heartbeat;
    s.heartbeat_timeout = c.postgres_heartbeat_timeout;
    s.backoff_first = c.postgres_backoff_first;
    s.backoff_cap = c.postgres_backoff_cap;
    return s;
}

postgres::listener_sink source_sink(bridge& b) {
    postgres::listener_sink s;
    s.began = [&b] { b.session_began(); };
    s.notified = [&b](std::string_view channel, std::string_view payload) { b.notified(channel, payload); };
    s.marked = [&b](std::string_view marker) { b.marked(marker); };
    s.elected = [&b](int session) { b.elected(session); };
    s.stand_by = [&b] { b.stand_by(); };
    s.ready = [&b] { return b.ready(); };
    s.in_sync = [&b] { return b.in_sync(); };
    s.since = [&b](std::size_t n) { return b.catch_up_since(n); };
    s.caught_up = [&b](std::size_t n, std::string_view payload) { b.caught_up(n, payload); };
    s.completed = [&b](std::size_t n) { b.catch_up_completed(n); };
    s.live = [&b] { b.live(); };
    s.ended = [&b] { b.session_ended(); };
    return s;
}

postgres::dead_letter_box_settings letter_settings(const configuration& c) {
    postgres::dead_letter_box_settings s;
    s.conninfo = c.postgres_url;
    s.connect_timeout = c.postgres_connect_timeout;
    return s;
}

http::settings http_settings(const configuration& c) {
    http::settings s;
    s.address = c.http_address;
    s.port = c.http_port;
    return s;
}

// The parts in the order in which they are built; they are stopped in the order in which an event meets them.
class service {
 public:
    explicit service(const configuration& c)
        : executor_(loop_.get_executor()),
          lag_(executor_),
          redis_(executor_, c.redis),
          cache_(executor_, redis_),
          letters_(executor_, letter_settings(c),
                   [this](const auto& written) {
                       for (const auto& w : written)
                           bridge_.letter_settled(w.letter);
                   }),
          bridge_(executor_, c, redis_, cache_, [this](event::dead_letter l) { letters_.add(std::move(l)); }),
          desk_(c, letters_, bridge_, redis_),
          source_(executor_, source_settings(c, bridge_), source_sink(bridge_)),
          server_(executor_, http_settings(c),
                  http::make_endpoints(make_view({source_, redis_, bridge_, letters_, desk_, cache_, lag_,
                                                  server_, c.admin_token, stopping_}))),
          signals_(loop_, SIGINT, SIGTERM),
          source_tasks_(executor_, on_failure()),
          bridge_tasks_(executor_, on_failure()),
          parking_tasks_(executor_, on_failure()),
          letter_tasks_(executor_, on_failure()),
          connection_tasks_(executor_, on_failure()),
          log_tick_(executor_),
          main_tasks_(executor_, on_failure()) {
        cache_.hold(open_contexts(bridge_.lanes(), bridge_.carrier()));
    }

    int run() {
        const auto port = server_.listen();
        if (!port) {
            core::log_error("{}", port.error().message);
            return 1;
        }
        core::log_info("postrider {}: http on port {}", POSTRIDER_VERSION, *port);
        connection_tasks_.spawn("redis", redis_.run());
        connection_tasks_.spawn("http", server_.run());
        connection_tasks_.spawn("lag", lag_.run());
        connection_tasks_.spawn("log", keep_log());
        connection_tasks_.spawn("reign",
                                bridge_.reign([this] { source_.wake(); }, [this] { source_.resign(); }));
        connection_tasks_.spawn("cache", cache_.run());
        letter_tasks_.spawn("letters", letters_.run());
        bridge_tasks_.spawn("carry", bridge_.carry());
        bridge_tasks_.spawn("time", bridge_.keep_time());
        parking_tasks_.spawn("parked", bridge_.keep_parked());
        source_tasks_.spawn("source", source_.run());
        main_tasks_.spawn("stop", stop_on_signal());
        loop_.run();
        return status_;
    }

 private:
    net::task_group::failure_handler on_failure() {
        return [this](std::string_view task, std::string_view words) {
            core::log_critical("task '{}' failed, which is a bug: {}; stopping", task, words);
            status_ = 1;
            signals_.cancel();
        };
    }

    // Counts of folded lines come out also where nothing else is logged.
    asio::awaitable<void> keep_log() {
        while (!log_stopped_) {
            const auto next = steady::now() + log_interval;
            co_await log_tick_.wait_until(next);
            core::tell_storms();
        }
    }

    asio::awaitable<void> stop_on_signal() {
        const auto [error, number] = co_await signals_.async_wait(asio::as_tuple(asio::use_awaitable));
        if (!error) core::log_info("{}: stopping", number == SIGINT ? "SIGINT" : "SIGTERM");
        // From here on a second signal has its usual effect.
        signals_.clear();
        stopping_ = true;
        const auto began = steady::now();
        // What was committed before the signal may still be on its way here.
        if (!co_await source_.hear_until_now(began + hear_time))
            core::log_warning(
                "postgres: what was sent before the stop may not all have been heard; the rest is lost "
                "without a catch-up or a standby");
        // The session goes on, and the lock with it, until everything is where the next leader finds it.
        bridge_.finish();
        co_await drain(began, bridge_.unread());
        co_await finish_letters();
        source_.stop();
        co_await source_tasks_.join();
        bridge_.stop();
        cache_.close();
        redis_.stop();
        server_.stop();
        lag_.stop();
        log_stopped_ = true;
        log_tick_.notify();
        co_await bridge_tasks_.join();
        co_await parking_tasks_.join();
        co_await connection_tasks_.join();
        core::log_info(
            "stopped after {}",
            core::format_duration(std::chrono::duration_cast<core::milliseconds>(steady::now() - began)));
    }

    // `unread` events came before Redis could be asked who has led.
    asio::awaitable<void> drain(core::steady::time_point began, std::uint64_t unread) {
        const auto limit = began + (redis_.connected() ? drain_time : drain_time_without_redis);
        const bool drained = co_await bridge_tasks_.join_until(limit);
        const auto left = std::max(unread, drained ? 0 : bridge_.unsaved());
        bridge_.settle();
        const bool settled = co_await parking_tasks_.join_until(began + settle_time);
        if (left == 0 && settled) co_return;
        if (settled && bridge_.unsaved() == 0) {
            core::log_warning(
                "stopped with {} deliveries or changes that Redis has not taken; they are put aside in "
                "Postgres, and the next start brings them",
                left);
            co_return;
        }
        status_ = 1;
        core::log_error(
            "stopped with {} deliveries or changes that Redis has not taken; without a catch-up they are "
            "lost",
            bridge_.unsaved());
    }

    // What was refused last is written, and then its context deleted, so that the next start does not adopt
    // it.
    asio::awaitable<void> finish_letters() {
        const auto limit = steady::now() + letter_time;
        letters_.finish();
        const bool finished = co_await letter_tasks_.join_until(limit);
        if (!finished) letters_.stop();
        if (letters_.waiting() != 0)
            core::log_error(
                "stopped with {} dead letters that Postgres has not taken; those of refused pushes that "
                "stand "
                "in Redis are written by the next start, the others are lost",
                letters_.waiting());
        co_await letter_tasks_.join();
        if (bridge_tasks_.size() == 0 && bridge_.unsaved() != 0) {
            bridge_tasks_.spawn("carry", bridge_.carry());
            co_await bridge_tasks_.join_until(limit);
        }
    }

    asio::io_context loop_{1};
    asio::any_io_executor executor_;
    bool stopping_ = false;
    int status_ = 0;
    net::loop_lag lag_;
    redis::client redis_;
    redis::cache cache_;
    postgres::dead_letter_box letters_;
    bridge bridge_;
    letter_desk desk_;
    postgres::listener source_;
    http::server server_;
    asio::signal_set signals_;
    net::task_group source_tasks_;
    net::task_group bridge_tasks_;
    net::task_group parking_tasks_;
    net::task_group letter_tasks_;
    net::task_group connection_tasks_;
    net::signal log_tick_;
    bool log_stopped_ = false;
    net::task_group main_tasks_;
};

}  // namespace

int run(const configuration& c) {
    return service(c).run();
}

}  // namespace postrider::service
