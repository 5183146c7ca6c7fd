#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "core/error.hpp"
#include "net/asio.hpp"
#include "net/deadline.hpp"
#include "net/resolve.hpp"
#include "redis/options.hpp"
#include "redis/tls.hpp"

namespace postrider::redis {

// The bytes to and from one server: TCP or a Unix socket, bare or under TLS. One connect, then one reader and
// one writer at a time. close() at any moment ends whatever is under way.
class transport {
 public:
    transport(const asio::any_io_executor& executor, const options& o);

    // Resolves, connects to the first address that accepts, and does the TLS handshake, all before the limit.
    // Errors: unresolved, refused, timeout, tls, connection_lost, stopped (by close), in words for people.
    asio::awaitable<core::result<void>> connect(net::deadline limit);

    asio::awaitable<std::pair<error_code, std::size_t>> read_some(asio::mutable_buffer into);
    asio::awaitable<error_code> write(asio::const_buffer bytes);

    // For good: a transport connects once.
    void close();
    bool closed() const { return closed_; }

 private:
    using endpoint = asio::generic::stream_protocol::endpoint;

    asio::awaitable<core::result<void>> connect_tcp(net::deadline limit);
    asio::awaitable<core::result<void>> connect_unix(net::deadline limit);
    asio::awaitable<error_code> open(endpoint where, net::deadline limit);
    asio::awaitable<core::result<void>> start_tls(net::deadline limit);
    void tune_tcp();

    const options& options_;
    net::name_lookup lookup_;
    stream_socket socket_;
    std::unique_ptr<tls> tls_;
    bool closed_ = false;
};

// What broke a connection, in words: "closed by the server", "reset by the server" …
std::string explain_loss(const error_code& e);

}  // namespace postrider::redis
