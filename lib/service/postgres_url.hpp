#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/error.hpp"

namespace postrider::service {

struct postgres_url {
    std::string text;                   // for libpq
    std::vector<std::string> warnings;  // words to follow the setting's name
};

// Checks a connection string by libpq's own rules (PostgreSQL documentation, 34.1.1): a URL or key=value
// pairs. SQLAlchemy's postgresql+asyncpg://… loses its driver, with a warning. Ports, sslmode and
// target_session_attrs, which libpq would look at only on connecting, are checked too. Errors are words to
// follow the setting's name; they show no part of the string that may belong to a password.
core::result<postgres_url> read_postgres_url(std::string_view text);

}  // namespace postrider::service
