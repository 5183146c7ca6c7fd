#pragma once

#include <string>

#include "core/error.hpp"
#include "net/asio.hpp"
#include "postgres/connection.hpp"

namespace postrider::postgres {

// The version that schema.sql brings a database to; a newer one in the database is taken as it is.
inline constexpr int schema_version = 2;

// schema.sql, to be printed: in a transaction of its own, then the rights for `grant_to` (empty: none).
std::string schema_script(const std::string& grant_to);

// The server's words about missing rights, and how an owner gives them to `user`.
std::string with_mend(const std::string& words, const std::string& user);

// Runs the same on this connection; all of it or nothing is done. Errors: server_error with the server's
// words and how to mend missing rights; those of connection::script.
asio::awaitable<core::result<void>> apply_schema(connection& c, std::string grant_to, net::deadline limit);

// Whether the connection's user can work with the schema as it stands.
asio::awaitable<core::result<bool>> schema_is_usable(connection& c, net::deadline limit);

// Applies the schema unless it is usable already. Errors: those of apply_schema; server_error, with the
// mend, where it stands but gives this user no rights.
asio::awaitable<core::result<void>> ensure_schema(connection& c, net::deadline limit);

}  // namespace postrider::postgres
