#pragma once

#include "core/error.hpp"
#include "net/asio.hpp"
#include "net/deadline.hpp"

namespace postrider::net {

// The addresses of a host name, numeric, in the resolver's order, without repeats; a numeric address is
// returned as it is. Errors: unresolved (with the resolver's words), timeout (a deadline in the past starts
// no lookup). getaddrinfo cannot be interrupted, so it runs on a thread of its own that is left behind when
// the deadline passes; neither the loop nor the shutdown waits for it.
asio::awaitable<core::result<std::vector<std::string>>> resolve(std::string host, deadline limit);

// The same for an owner that must be able to stop at any moment; one lookup at a time.
class name_lookup {
 public:
    explicit name_lookup(const asio::any_io_executor& executor) : ready_(executor) {}

    asio::awaitable<core::result<std::vector<std::string>>> run(std::string host, deadline limit);

    // Ends the run() under way with errc::stopped.
    void cancel();

 private:
    asio::posix::stream_descriptor ready_;
};

}  // namespace postrider::net
