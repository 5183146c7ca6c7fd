#include "tls_front.hpp"

#include <array>
#include <boost/asio/read.hpp>

namespace postrider::test {

struct tls_front::link {
    link(asio::io_context& context, asio::ssl::context& tls) : client(context, tls), server(context) {}

    asio::ssl::stream<tcp::socket> client;
    tcp::socket server;
};

namespace {

constexpr std::size_t record = 16'384;

const auto quietly = asio::as_tuple(asio::use_awaitable);

void when_ended(const std::exception_ptr& error) {
    if (error) std::rethrow_exception(error);
}

// Postgres sends in pieces of 8 KiB; a moment lets a record's worth of them gather.
constexpr std::chrono::milliseconds gathering{5};

// Copies until either end is closed, and then closes both.
template <class Link, class From, class To>
asio::awaitable<void> copy(std::shared_ptr<Link> l, From& from, To& to, bool gather) {
    std::vector<char> bytes(record);
    asio::steady_timer pause(l->server.get_executor());
    for (;;) {
        if (gather) {
            co_await l->server.async_wait(asio::socket_base::wait_read, quietly);
            pause.expires_after(gathering);
            co_await pause.async_wait(quietly);
        }
        const auto [error, size] = co_await from.async_read_some(asio::buffer(bytes), quietly);
        if (error) break;
        const auto [failed, written] =
            co_await asio::async_write(to, asio::buffer(bytes.data(), size), quietly);
        if (failed) break;
    }
    error_code ignored;
    l->client.lowest_layer().close(ignored);
    l->server.close(ignored);
}

}  // namespace

tls_front::tls_front(const support::certificates& shown, std::uint16_t postgres_port)
    : acceptor_(context_, tcp::endpoint(asio::ip::address_v4::loopback(), 0)),
      postgres_(asio::ip::address_v4::loopback(), postgres_port) {
    tls_.use_certificate_chain_file(shown.cert);
    tls_.use_private_key_file(shown.key, asio::ssl::context::pem);
    asio::co_spawn(context_, accept(), when_ended);
    thread_ = std::thread([this] { context_.run(); });
}

tls_front::~tls_front() {
    context_.stop();
    thread_.join();
}

asio::awaitable<void> tls_front::accept() {
    for (;;) {
        auto l = std::make_shared<link>(context_, tls_);
        co_await acceptor_.async_accept(l->client.next_layer(), asio::use_awaitable);
        asio::co_spawn(context_, greet(std::move(l)), when_ended);
    }
}

// PostgreSQL documentation, 55.2.10: the client asks for TLS with eight bytes, and is answered with one.
asio::awaitable<void> tls_front::greet(std::shared_ptr<link> l) {
    std::array<char, 8> request{};
    auto& socket = l->client.next_layer();
    const auto [unasked, size] = co_await asio::async_read(socket, asio::buffer(request), quietly);
    if (unasked) co_return;
    const std::string_view yes = "S";
    const auto [unanswered, written] = co_await asio::async_write(socket, asio::buffer(yes), quietly);
    if (unanswered) co_return;
    const auto [refused] = co_await l->client.async_handshake(asio::ssl::stream_base::server, quietly);
    if (refused) co_return;
    const auto [absent] = co_await l->server.async_connect(postgres_, quietly);
    if (absent) co_return;
    socket.set_option(tcp::no_delay(true));
    asio::co_spawn(context_, copy(l, l->client, l->server, false), when_ended);
    asio::co_spawn(context_, copy(l, l->server, l->client, true), when_ended);
}

}  // namespace postrider::test
