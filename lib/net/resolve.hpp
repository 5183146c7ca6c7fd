#pragma once

#include "core/error.hpp"
#include "net/asio.hpp"
#include "net/deadline.hpp"

namespace postrider::net {

// The addresses of a host name, numeric, in the resolver's order, without repeats; a numeric address is returned
// as it is. Errors: unresolved (with the resolver's words), timeout. getaddrinfo cannot be interrupted, so it
// runs on a thread of its own that is left behind when the deadline passes; neither the loop nor the shutdown
// waits for it.
asio::awaitable<core::result<std::vector<std::string>>> resolve(std::string host, deadline limit);

}  // namespace postrider::net
