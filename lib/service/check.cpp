#include <fmt/format.h>

#include <cstdio>

#include "core/duration.hpp"
#include "net/task_group.hpp"
#include "postgres/listener.hpp"
#include "redis/client.hpp"
#include "redis/options.hpp"
#include "redis/server_info.hpp"
#include "service/service.hpp"

namespace postrider::service {
namespace {

void say(bool fine, std::string_view what, std::string_view words) {
    fmt::print("{}  {}: {}\n", fine ? "ok  " : "FAIL", what, words);
}

// Listens for real, the notification to itself included; stops after the first success or failure.
asio::awaitable<void> check_postgres(const configuration& c, bool& fine) {
    const auto executor = co_await asio::this_coro::executor;
    postgres::listener_settings settings;
    settings.conninfo = c.postgres_url;
    for (const auto& r : c.routes)
        settings.channels.push_back(r.channel);
    std::sort(settings.channels.begin(), settings.channels.end());
    settings.channels.erase(std::unique(settings.channels.begin(), settings.channels.end()),
                            settings.channels.end());
    settings.connect_timeout = c.postgres_connect_timeout;
    postgres::listener_sink sink;
    sink.notified = [](std::string_view, std::string_view) {};
    sink.ready = [] { return false; };
    postgres::listener* self = nullptr;
    bool listened = false;
    sink.changed = [&] {
        listened = self->current().listening;
        if (listened)
            say(true, "postgres", "listens, and hears a notification to itself");
        else
            say(false, "postgres", self->current().last_error);
        self->stop();
    };
    postgres::listener source(executor, std::move(settings), std::move(sink));
    self = &source;
    co_await source.run();
    fine = fine && listened;
}

asio::awaitable<void> check_redis(const configuration& c, bool& fine) {
    const auto executor = co_await asio::this_coro::executor;
    redis::client client(executor, c.redis);
    net::task_group tasks(executor, [&fine](std::string_view, std::string_view words) {
        say(false, "redis", words);
        fine = false;
    });
    tasks.spawn("redis", client.run());
    asio::steady_timer pause(executor);
    while (!client.connected() && client.current().attempts == 0) {
        pause.expires_after(core::milliseconds(10));
        co_await pause.async_wait(asio::use_awaitable);
    }
    const auto took = co_await redis::ping(client);
    const auto where = redis::describe(c.redis);
    if (took)
        say(true, "redis", fmt::format("{} answers within {} µs", where, took->count()));
    else if (client.current().last_error.empty())
        say(false, "redis", fmt::format("{}: {}", where, took.error().message));
    else
        say(false, "redis", fmt::format("{}: {}", where, client.current().last_error));
    fine = fine && static_cast<bool>(took);
    client.stop();
    co_await tasks.join();
}

}  // namespace

int check(const configuration& c) {
    asio::io_context loop{1};
    bool fine = true;
    say(true, "configuration", fmt::format("{} routes", c.routes.size()));
    net::task_group tasks(loop.get_executor(), [&fine](std::string_view task, std::string_view words) {
        say(false, task, words);
        fine = false;
    });
    tasks.spawn("postgres", check_postgres(c, fine));
    tasks.spawn("redis", check_redis(c, fine));
    loop.run();
    return fine ? 0 : 1;
}

}  // namespace postrider::service
