#include "service/service.hpp"

#include <spdlog/spdlog.h>

#include <csignal>

#include "core/duration.hpp"
#include "http/endpoints.hpp"
#include "http/server.hpp"
#include "net/task_group.hpp"
#include "postgres/listener.hpp"
#include "redis/client.hpp"
#include "service/bridge.hpp"
#include "service/views.hpp"

namespace postrider::service {
namespace {

using core::steady;

// Together with the HTTP server's last second this stays within the 8 s that the contract gives a stop.
constexpr core::milliseconds drain_time{5'000};

postgres::listener_settings source_settings(const configuration& c, const bridge& b) {
    postgres::listener_settings s;
    s.conninfo = c.postgres_url;
    s.channels = b.channels();
    s.catch_ups = b.catch_up_queries();
    s.connect_timeout = c.postgres_connect_timeout;
    s.heartbeat = c.postgres_heartbeat;
    s.heartbeat_timeout = c.postgres_heartbeat_timeout;
    return s;
}

postgres::listener_sink source_sink(bridge& b) {
    postgres::listener_sink s;
    s.notified = [&b](std::string_view channel, std::string_view payload) { b.notified(channel, payload); };
    s.ready = [&b] { return b.restored(); };
    s.since = [&b](std::size_t n) { return b.catch_up_since(n); };
    s.completed = [&b](std::size_t n) { b.catch_up_completed(n); };
    s.caught_up = [&b](std::size_t n, std::string_view payload) { b.caught_up(n, payload); };
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
          redis_(executor_, c.redis),
          bridge_(executor_, c, redis_),
          source_(executor_, source_settings(c, bridge_), source_sink(bridge_)),
          server_(executor_, http_settings(c),
                  http::make_endpoints(make_view({source_, redis_, bridge_, stopping_}))),
          signals_(loop_, SIGINT, SIGTERM),
          source_tasks_(executor_, on_failure()),
          bridge_tasks_(executor_, on_failure()),
          connection_tasks_(executor_, on_failure()),
          main_tasks_(executor_, on_failure()) {}

    int run() {
        const auto port = server_.listen();
        if (!port) {
            spdlog::error("{}", port.error().message);
            return 1;
        }
        spdlog::info("postrider {}: http on port {}", POSTRIDER_VERSION, *port);
        connection_tasks_.spawn("redis", redis_.run());
        connection_tasks_.spawn("http", server_.run());
        connection_tasks_.spawn("restore", bridge_.restore([this] { source_.wake(); }));
        bridge_tasks_.spawn("carry", bridge_.carry());
        bridge_tasks_.spawn("time", bridge_.keep_time());
        source_tasks_.spawn("source", source_.run());
        main_tasks_.spawn("stop", stop_on_signal());
        loop_.run();
        return status_;
    }

 private:
    net::task_group::failure_handler on_failure() {
        return [this](std::string_view task, std::string_view words) {
            spdlog::critical("task '{}' failed, which is a bug: {}; stopping", task, words);
            status_ = 1;
            signals_.cancel();
        };
    }

    asio::awaitable<void> stop_on_signal() {
        const auto [error, number] = co_await signals_.async_wait(asio::as_tuple(asio::use_awaitable));
        if (!error) spdlog::info("{}: stopping", number == SIGINT ? "SIGINT" : "SIGTERM");
        // From here on a second signal has its usual effect.
        signals_.clear();
        stopping_ = true;
        const auto began = steady::now();
        source_.stop();
        co_await source_tasks_.join();
        bridge_.finish();
        const bool drained = co_await bridge_tasks_.join_until(began + drain_time);
        if (!drained && bridge_.unsaved() != 0) {
            spdlog::error(
                "stopped with {} deliveries or changes that Redis has not taken; without a catch-up they "
                "are lost",
                bridge_.unsaved());
            status_ = 1;
        }
        bridge_.stop();
        redis_.stop();
        server_.stop();
        co_await bridge_tasks_.join();
        co_await connection_tasks_.join();
        spdlog::info(
            "stopped after {}",
            core::format_duration(std::chrono::duration_cast<core::milliseconds>(steady::now() - began)));
    }

    asio::io_context loop_{1};
    asio::any_io_executor executor_;
    bool stopping_ = false;
    int status_ = 0;
    redis::client redis_;
    bridge bridge_;
    postgres::listener source_;
    http::server server_;
    asio::signal_set signals_;
    net::task_group source_tasks_;
    net::task_group bridge_tasks_;
    net::task_group connection_tasks_;
    net::task_group main_tasks_;
};

}  // namespace

int run(const configuration& c) {
    return service(c).run();
}

}  // namespace postrider::service
