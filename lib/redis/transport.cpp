#include "redis/transport.hpp"

#include <netinet/tcp.h>

#include "core/duration.hpp"

namespace postrider::redis {
namespace {

core::failure stopped() {
    return {core::errc::stopped, "stopped"};
}

core::failure too_slow(const std::string& what, const options& o) {
    return {core::errc::timeout,
            what + " within " + core::format_duration(o.connect_timeout) + " (REDIS_CONNECT_TIMEOUT)"};
}

core::errc code_of(const error_code& e) {
    return e == asio::error::timed_out ? core::errc::timeout : core::errc::refused;
}

void set_number(stream_socket& socket, int level, int name, int value) {
    // A socket without the option works too, so the result does not matter.
    ::setsockopt(socket.native_handle(), level, name, &value, sizeof value);
}

}  // namespace

transport::transport(const asio::any_io_executor& executor, const options& o)
    : options_(o), lookup_(executor), socket_(executor) {}

asio::awaitable<core::result<void>> transport::connect(net::deadline limit) {
    core::result<void> connected;
    if (options_.unix_path.empty()) {
        connected = co_await connect_tcp(limit);
    } else {
        connected = co_await connect_unix(limit);
    }
    if (closed_) co_return stopped();
    if (connected && options_.tls) connected = co_await start_tls(limit);
    if (closed_) co_return stopped();
    co_return connected;
}

asio::awaitable<core::result<void>> transport::connect_tcp(net::deadline limit) {
    const auto addresses = co_await lookup_.run(options_.host, limit);
    if (closed_) co_return stopped();
    if (!addresses) co_return addresses.error();

    core::failure last{core::errc::refused, "no address"};
    std::size_t left = addresses->size();
    for (const std::string& address : *addresses) {
        // Each address gets its share of the time, so one that swallows packets does not starve the next.
        const auto now = std::chrono::steady_clock::now();
        const auto share = now + (limit - now) / static_cast<std::chrono::steady_clock::rep>(left--);
        const asio::ip::tcp::endpoint tcp(asio::ip::make_address(address), options_.port);
        const endpoint where(tcp);
        const error_code e = co_await open(where, share);
        if (closed_) co_return stopped();
        if (!e) {
            tune_tcp();
            co_return core::result<void>();
        }
        if (e == asio::error::timed_out) {
            last = too_slow("no answer from " + address, options_);
        } else {
            last = core::failure{code_of(e), "cannot connect to " + address + " port " +
                                                 std::to_string(options_.port) + ": " + e.message() +
                                                 "; is Redis running there, and is REDIS_URL right?"};
        }
    }
    co_return last;
}

asio::awaitable<core::result<void>> transport::connect_unix(net::deadline limit) {
    const asio::local::stream_protocol::endpoint local(options_.unix_path);
    const endpoint where(local);
    const error_code e = co_await open(where, limit);
    if (!e) co_return core::result<void>();
    if (e == asio::error::timed_out)
        co_return too_slow("no answer from '" + options_.unix_path + "'", options_);
    co_return core::failure{core::errc::refused, "cannot connect to the socket '" + options_.unix_path +
                                                     "': " + e.message() +
                                                     "; is Redis running with this `unixsocket`?"};
}

asio::awaitable<error_code> transport::open(endpoint where, net::deadline limit) {
    error_code ignored;
    socket_.close(ignored);
    error_code e;
    // async_connect would open it too, but hides a failure to do so (too many open files) behind its handler.
    socket_.open(where.protocol(), e);
    if (e) co_return e;
    auto connecting = socket_.async_connect(where, asio::deferred);
    auto waited = net::before(limit, std::move(connecting));
    e = co_await std::move(waited);
    co_return e;
}

asio::awaitable<core::result<void>> transport::start_tls(net::deadline limit) {
    auto made = tls::make(socket_, options_);
    if (!made) co_return made.error();
    tls_ = std::move(*made);
    auto handshake = tls_->layer().async_handshake(asio::ssl::stream_base::client, asio::deferred);
    auto waited = net::before(limit, std::move(handshake));
    const error_code e = co_await std::move(waited);
    if (!e) co_return core::result<void>();
    if (e == asio::error::timed_out) {
        auto slow = too_slow("TLS: no handshake", options_);
        slow.message += "; does the server speak TLS on this port?";
        co_return slow;
    }
    co_return tls_->explain(e);
}

void transport::tune_tcp() {
    set_number(socket_, IPPROTO_TCP, TCP_NODELAY, 1);
    set_number(socket_, SOL_SOCKET, SO_KEEPALIVE, 1);
    set_number(socket_, IPPROTO_TCP, TCP_KEEPIDLE, 30);
    set_number(socket_, IPPROTO_TCP, TCP_KEEPINTVL, 5);
    set_number(socket_, IPPROTO_TCP, TCP_KEEPCNT, 3);
}

asio::awaitable<std::pair<error_code, std::size_t>> transport::read_some(asio::mutable_buffer into) {
    constexpr auto as_values = asio::as_tuple(asio::use_awaitable);
    if (tls_) {
        const auto [e, size] = co_await tls_->layer().async_read_some(into, as_values);
        co_return std::pair(e, size);
    }
    const auto [e, size] = co_await socket_.async_read_some(into, as_values);
    co_return std::pair(e, size);
}

asio::awaitable<error_code> transport::write(asio::const_buffer bytes) {
    constexpr auto as_values = asio::as_tuple(asio::use_awaitable);
    if (tls_) {
        const auto [e, size] = co_await asio::async_write(tls_->layer(), bytes, as_values);
        co_return e;
    }
    const auto [e, size] = co_await asio::async_write(socket_, bytes, as_values);
    co_return e;
}

void transport::close() {
    if (closed_) return;
    closed_ = true;
    lookup_.cancel();
    error_code ignored;
    socket_.close(ignored);
}

std::string explain_loss(const error_code& e) {
    if (e == asio::error::eof || e == asio::ssl::error::stream_truncated) return "closed by the server";
    if (e == asio::error::connection_reset || e == asio::error::broken_pipe) return "reset by the server";
    return e.message();
}

}  // namespace postrider::redis
