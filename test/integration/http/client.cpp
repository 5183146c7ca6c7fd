#include "client.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "support/uninterrupted.hpp"

namespace postrider::test {
namespace {

[[noreturn]] void fail(const char* what) {
    throw std::system_error(errno, std::generic_category(), what);
}

std::size_t content_length(std::string_view head) {
    constexpr std::string_view name = "\r\nContent-Length: ";
    const auto at = head.find(name);
    if (at == std::string_view::npos) return 0;
    return std::stoul(std::string(head.substr(at + name.size(), 20)));
}

}  // namespace

client::client(std::uint16_t port, int receive_buffer)
    : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    if (socket_ < 0) fail("socket");
    const timeval limit{.tv_sec = 60, .tv_usec = 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    ::setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    if (receive_buffer != 0) {
        ::setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    }
    sockaddr_in where{};
    where.sin_family = AF_INET;
    where.sin_port = htons(port);
    where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(socket_, reinterpret_cast<const sockaddr*>(&where), sizeof where) != 0) fail("connect");
}

client::client(client&& other) noexcept
    : socket_(std::exchange(other.socket_, -1)), reset_(other.reset_), buffer_(std::move(other.buffer_)) {}

client::~client() {
    if (socket_ >= 0) ::close(socket_);
}

bool client::send(std::string_view bytes) {
    while (!bytes.empty()) {
        const auto sent =
            support::uninterrupted([&] { return ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL); });
        if (sent < 0 && (errno == EPIPE || errno == ECONNRESET)) return false;
        if (sent < 0) fail("send");
        bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
}

void client::finish_sending() {
    ::shutdown(socket_, SHUT_WR);
}

bool client::more() {
    std::array<char, 65536> bytes;
    const auto count = support::uninterrupted([&] { return ::recv(socket_, bytes.data(), bytes.size(), 0); });
    if (count < 0 && errno != ECONNRESET) fail("recv");
    reset_ = reset_ || count < 0;
    if (count <= 0) return false;
    buffer_.append(bytes.data(), static_cast<std::size_t>(count));
    return true;
}

std::optional<answer> client::receive(bool after_head) {
    std::size_t end = 0;
    while ((end = buffer_.find("\r\n\r\n")) == std::string::npos) {
        if (!more()) return std::nullopt;
    }
    answer a;
    a.head = buffer_.substr(0, end + 2);
    a.status = std::stoi(a.head.substr(9, 3));
    buffer_.erase(0, end + 4);
    const auto length = after_head ? 0 : content_length(a.head);
    while (buffer_.size() < length) {
        if (!more()) return std::nullopt;
    }
    a.body = buffer_.substr(0, length);
    buffer_.erase(0, length);
    return a;
}

std::string client::receive_until(std::string_view mark) {
    std::size_t at = 0;
    while ((at = buffer_.find(mark)) == std::string::npos) {
        if (!more()) return "";
    }
    const auto text = buffer_.substr(0, at + mark.size());
    buffer_.erase(0, text.size());
    return text;
}

std::string client::receive_all() {
    while (more()) {
    }
    return std::exchange(buffer_, {});
}

bool client::closed() {
    return buffer_.empty() && !more();
}

answer client::get(std::string_view path) {
    if (!send("GET " + std::string(path) + " HTTP/1.1\r\nHost: test\r\n\r\n")) return {};
    return receive().value_or(answer{});
}

}  // namespace postrider::test
