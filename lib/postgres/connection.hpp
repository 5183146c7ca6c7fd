#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.hpp"
#include "net/asio.hpp"
#include "net/deadline.hpp"
#include "postgres/connect.hpp"

struct pg_result;

namespace postrider::postgres {

using rows = std::vector<std::vector<std::optional<std::string>>>;
using parameters = std::vector<std::optional<std::string>>;

// One libpq connection driven by Asio. It is cancelled with the coroutine that uses it.
class connection {
 public:
    // Tries the hosts of the connection string in order, each within `a_host`; name lookups never block the
    // loop. The failure carries the words of the last host's attempt.
    static asio::awaitable<core::result<connection>> open(std::string conninfo,
                                                          std::chrono::milliseconds a_host);

    connection(connection&&) noexcept;
    connection& operator=(connection&&) noexcept;
    ~connection();

    // One statement with text parameters, its rows as text. Each sign of life from the server moves the limit
    // to at least `patience` later. Errors: server_error with the server's words (the connection goes on);
    // timeout, connection_lost and protocol, for a COPY (it is of no use any more).
    asio::awaitable<core::result<rows>> query(std::string sql, parameters values, net::deadline limit,
                                              std::chrono::milliseconds patience = {});

    // Waits until the server sent something, and reads it. Errors: timeout, connection_lost.
    asio::awaitable<core::result<void>> receive(net::deadline limit);

    // Makes a receive() under way return at once; a query() under way goes on.
    void interrupt();

    // Takes every notification that has been read so far, in order. The views live during the call.
    void take_notifications(
        const std::function<void(std::string_view channel, std::string_view payload)>& take);

    // An identifier quoted for SQL.
    core::result<std::string> quote_identifier(std::string_view name) const;

    // "host:port" of the server.
    const std::string& server() const { return server_; }

 private:
    connection(handle raw, asio::posix::stream_descriptor socket, std::string server);

    asio::awaitable<core::result<void>> flush(net::deadline limit);
    bool consume();
    core::result<void> take_part(const pg_result* part, rows& answer) const;
    core::failure broken() const;

    std::unique_ptr<std::string> farewell_;  // the server's last words; libpq holds its address
    // The order matters: the duplicate descriptor is closed before libpq closes its own.
    handle raw_;
    asio::posix::stream_descriptor socket_;
    std::string server_;
};

}  // namespace postrider::postgres
