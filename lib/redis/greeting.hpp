#pragma once

#include <optional>
#include <vector>

#include "core/error.hpp"
#include "redis/options.hpp"
#include "redis/pipeline.hpp"
#include "redis/reply.hpp"

namespace postrider::redis {

// What is said first on a connection, in one go: AUTH where there are credentials, SELECT where the database
// is not 0, CLIENT SETNAME, PING, which alone shows that the server is still loading its data, and ROLE where
// the server must be a primary.
pipeline greeting(const options& o);

// Whether the replies to greeting(o) let the session begin. Errors: authentication (with the setting to
// mend), invalid_input (no such database), server_error (with the server's words; it passes by itself, or
// not). A refused name is no reason to refuse the server.
core::result<void> welcome(const options& o, const std::vector<reply>& replies);

// Whether a reply to ROLE is a primary's; server_error: it is a replica's. A user without the right to ask is
// let through: READONLY still tells.
core::result<void> is_primary(const reply& role);

// What an error says that the server sent before or without any command, e.g. "DENIED Redis is running in
// protected mode …".
core::failure turned_away(const reply& error);

}  // namespace postrider::redis
