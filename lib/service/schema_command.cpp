#include <fmt/format.h>

#include <cstdio>

#include "core/redact.hpp"
#include "net/task_group.hpp"
#include "postgres/schema.hpp"
#include "service/service.hpp"

namespace postrider::service {
namespace {

// Another session that holds a lock on a table is waited for, but not for ever.
constexpr std::chrono::seconds schema_patience{60};

asio::awaitable<core::result<std::string>> apply(std::string conninfo, core::milliseconds connect_timeout,
                                                 std::string grant_to) {
    auto opened = co_await postgres::connection::open(std::move(conninfo), connect_timeout);
    if (!opened) co_return opened.error();
    auto done =
        co_await postgres::apply_schema(*opened, std::move(grant_to), core::steady::now() + schema_patience);
    if (!done) co_return done.error();
    co_return opened->server();
}

asio::awaitable<void> apply_and_say(const configuration& c, std::string grant_to, int& status) {
    auto url = c.postgres_url;
    const auto server = co_await apply(std::move(url), c.postgres_connect_timeout, std::move(grant_to));
    if (server) {
        fmt::print("schema postrider is in place at {}, version {}\n", *server, postgres::schema_version);
        status = 0;
    } else {
        fmt::print(stderr, "postrider: schema not applied: {}\n", core::redact(server.error().message));
    }
}

}  // namespace

int print_schema(const std::string& grant_to) {
    fmt::print("{}", postgres::schema_script(grant_to));
    return std::fflush(stdout) == 0 ? 0 : 1;
}

int apply_schema(const configuration& c, const std::string& grant_to) {
    asio::io_context loop{1};
    int status = 1;
    net::task_group tasks(loop.get_executor(), [](std::string_view, std::string_view words) {
        fmt::print(stderr, "postrider: {}\n", words);
    });
    tasks.spawn("schema", apply_and_say(c, grant_to, status));
    loop.run();
    return status;
}

}  // namespace postrider::service
