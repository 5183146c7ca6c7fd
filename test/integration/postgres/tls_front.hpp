#pragma once

#include <cstdint>
#include <thread>

#include "net/asio.hpp"
#include "support/certificates.hpp"

namespace postrider::test {

// Terminates TLS before a Postgres without it, as poolers and cloud proxies do, and sends in records of up to
// 16 KiB, which are twice as large as those that Postgres itself makes. Any number of clients.
class tls_front {
 public:
    tls_front(const support::certificates& shown, std::uint16_t postgres_port);
    tls_front(const tls_front&) = delete;
    tls_front& operator=(const tls_front&) = delete;
    ~tls_front();

    std::uint16_t port() const { return acceptor_.local_endpoint().port(); }

 private:
    using tcp = asio::ip::tcp;
    struct link;

    asio::awaitable<void> accept();
    asio::awaitable<void> greet(std::shared_ptr<link> l);

    asio::io_context context_{1};
    asio::ssl::context tls_{asio::ssl::context::tls_server};
    tcp::acceptor acceptor_;
    tcp::endpoint postgres_;
    std::thread thread_;
};

}  // namespace postrider::test
