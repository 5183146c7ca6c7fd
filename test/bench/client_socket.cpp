#include "bench/client_socket.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

namespace postrider::bench {

client_socket::client_socket(std::uint16_t port)
    : descriptor_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const int at_once = 1;
    ::setsockopt(descriptor_, IPPROTO_TCP, TCP_NODELAY, &at_once, sizeof at_once);
    sockaddr_in where{};
    where.sin_family = AF_INET;
    where.sin_port = htons(port);
    where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(descriptor_, reinterpret_cast<const sockaddr*>(&where), sizeof where) != 0) close();
}

client_socket::~client_socket() {
    close();
}

void client_socket::close() {
    if (descriptor_ >= 0) ::close(std::exchange(descriptor_, -1));
}

bool client_socket::send(std::string_view bytes) {
    if (!connected()) return false;
    const auto sent = ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    const bool all = sent == static_cast<ssize_t>(bytes.size());
    if (!all) close();
    return all;
}

std::string_view client_socket::receive(std::span<char> room) {
    if (!connected()) return {};
    const auto got = ::recv(descriptor_, room.data(), room.size(), MSG_DONTWAIT);
    if (got > 0) return {room.data(), static_cast<std::size_t>(got)};
    if (got == 0 || (errno != EAGAIN && errno != EINTR)) close();
    return {};
}

}  // namespace postrider::bench
