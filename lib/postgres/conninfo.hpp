#pragma once

#include <string>
#include <utility>
#include <vector>

#include "core/error.hpp"

namespace postrider::postgres {

// One server to try: libpq's keywords and values (PostgreSQL documentation, 34.1.2).
struct candidate {
    std::string host;  // a name, an address, a socket folder; empty: libpq's own default
    std::string port;
    std::vector<std::pair<std::string, std::string>> parameters;

    // "db.example.com:5432", for logs; without a host the address, "[::1]:5432", or "localhost:5432".
    std::string describe() const;
};

// Splits a connection string (URL or keywords) into its hosts, in order; hosts are tried one by one, because
// libpq's own loop over them has no deadline a host when used without blocking. target_session_attrs is kept;
// prefer-standby becomes a first round of standby and a second of any. Errors (invalid_input): words about
// the string, libpq's without the pieces of it that they quote, so never with the password.
core::result<std::vector<candidate>> candidates(const std::string& conninfo);

}  // namespace postrider::postgres
