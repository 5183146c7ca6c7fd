#pragma once

#include <memory>
#include <string>

#include "core/error.hpp"
#include "net/asio.hpp"
#include "net/deadline.hpp"
#include "postgres/conninfo.hpp"

struct pg_conn;

namespace postrider::postgres {

struct finisher {
    void operator()(pg_conn* c) const;
};
using handle = std::unique_ptr<pg_conn, finisher>;

// Connects to one server within `a_host`, name lookup included; each address of its name gets an equal share
// of the time that is left. The failure begins with the candidate's "host:port". Errors: unresolved, refused,
// timeout, authentication, tls, connection_lost.
asio::awaitable<core::result<handle>> connect(candidate to, std::chrono::milliseconds a_host);

// libpq's words on one line.
std::string one_line(const char* words);

// A descriptor to wait on libpq's socket with. It is a duplicate, because libpq closes and reopens its own,
// also under the same number; it must be closed before libpq closes the original. Errors: connection_lost.
core::result<asio::posix::stream_descriptor> watch(const asio::any_io_executor& executor, const pg_conn* c);

}  // namespace postrider::postgres
