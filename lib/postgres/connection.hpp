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

using row = std::vector<std::optional<std::string>>;
using rows = std::vector<row>;
using row_taker = std::function<void(row)>;
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

    // The same, each row handed over as it comes, so that an answer of any length needs little memory. Rows
    // may have been taken before an error.
    asio::awaitable<core::result<void>> query_each(std::string sql, parameters values, row_taker take,
                                                   net::deadline limit,
                                                   std::chrono::milliseconds patience = {});

    // The code of the server's last error (PostgreSQL documentation, appendix A), e.g. "42501"; empty: none
    // yet.
    const std::string& refusal() const { return refusal_; }

    // Several statements without parameters, separated by semicolons, in one transaction; their rows are
    // dropped. Errors as of query(); after a server_error nothing of it is done.
    asio::awaitable<core::result<void>> script(std::string sql, net::deadline limit);

    // Waits until the server sent something, and reads it. Errors: timeout, connection_lost.
    asio::awaitable<core::result<void>> receive(net::deadline limit);

    // Takes every notification that has been read so far, in order. The views live during the call.
    void take_notifications(
        const std::function<void(std::string_view channel, std::string_view payload)>& take);

    // An identifier quoted for SQL.
    core::result<std::string> quote_identifier(std::string_view name) const;

    // The user that the session was opened for.
    std::string user() const;

    // "host:port" of the server.
    const std::string& server() const { return server_; }

 private:
    connection(handle raw, asio::posix::stream_descriptor socket, std::string server);

    core::result<void> send(const std::string& sql, const parameters& values);
    asio::awaitable<core::result<void>> flush(net::deadline limit);
    asio::awaitable<core::result<void>> take_answer(row_taker take, net::deadline limit,
                                                    std::chrono::milliseconds patience);
    bool consume();
    core::result<void> take_part(const pg_result* part, const row_taker& take);
    core::failure broken() const;

    std::unique_ptr<std::string> farewell_;  // the server's last words; libpq holds its address
    // The order matters: the duplicate descriptor is closed before libpq closes its own.
    handle raw_;
    asio::posix::stream_descriptor socket_;
    std::string server_;
    std::string refusal_;
};

}  // namespace postrider::postgres
