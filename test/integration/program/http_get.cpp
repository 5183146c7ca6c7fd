#include "http_get.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <utility>

#include "support/uninterrupted.hpp"

namespace postrider::test {
namespace {

int connected_socket(std::uint16_t port) {
    const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const timeval limit{30, 0};
    ::setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    ::setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    sockaddr_in where{};
    where.sin_family = AF_INET;
    where.sin_port = htons(port);
    where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(socket, reinterpret_cast<const sockaddr*>(&where), sizeof where) == 0) return socket;
    ::close(socket);
    return -1;
}

bool send_all(int socket, std::string_view bytes) {
    while (!bytes.empty()) {
        const auto sent =
            support::uninterrupted([&] { return ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL); });
        if (sent <= 0) return false;
        bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
}

std::string receive_all(int socket) {
    std::string text;
    char part[16384];
    for (;;) {
        const auto got = support::uninterrupted([&] { return ::recv(socket, part, sizeof part, 0); });
        if (got <= 0) return text;
        text.append(part, static_cast<std::size_t>(got));
    }
}

}  // namespace

http_answer http_get(std::uint16_t port, std::string_view path) {
    return http_ask(port, "GET", path);
}

http_answer http_ask(std::uint16_t port, std::string_view method, std::string_view path,
                     std::string_view token) {
    http_answer answer;
    raw_connection connection(port, "");
    std::string request =
        std::string(method) + ' ' + std::string(path) + " HTTP/1.1\r\nHost: test\r\nConnection: close\r\n";
    if (!token.empty()) request += "Authorization: Bearer " + std::string(token) + "\r\n";
    if (!connection.send(request + "\r\n")) return answer;
    const std::string text = connection.receive();
    const auto head_end = text.find("\r\n\r\n");
    if (head_end == std::string::npos || !text.starts_with("HTTP/1.1 ")) return answer;
    answer.status = std::atoi(text.c_str() + 9);
    answer.head = text.substr(0, head_end);
    answer.body = text.substr(head_end + 4);
    return answer;
}

raw_connection::raw_connection(std::uint16_t port, std::string_view beginning)
    : socket_(connected_socket(port)) {
    send(beginning);
}

raw_connection::raw_connection(raw_connection&& other) noexcept : socket_(std::exchange(other.socket_, -1)) {}

raw_connection::~raw_connection() {
    if (socket_ >= 0) ::close(socket_);
}

bool raw_connection::send(std::string_view more) {
    return socket_ >= 0 && send_all(socket_, more);
}

bool raw_connection::has_ended() const {
    char next = 0;
    if (socket_ < 0) return true;
    const auto got =
        support::uninterrupted([&] { return ::recv(socket_, &next, 1, MSG_PEEK | MSG_DONTWAIT); });
    return got == 0 || (got < 0 && errno != EAGAIN);
}

std::string raw_connection::receive_some() {
    char part[16384];
    if (socket_ < 0) return {};
    const auto got = support::uninterrupted([&] { return ::recv(socket_, part, sizeof part, 0); });
    return got > 0 ? std::string(part, static_cast<std::size_t>(got)) : std::string();
}

std::string raw_connection::receive() {
    return socket_ >= 0 ? receive_all(socket_) : std::string();
}

}  // namespace postrider::test
