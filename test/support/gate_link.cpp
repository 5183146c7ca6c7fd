#include "support/gate_link.hpp"

#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "support/eventually.hpp"

namespace postrider::support {
namespace {

constexpr std::size_t most_waiting = std::size_t{4} << 20U;

bool would_block() {
    return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

void reset(int socket) {
    const linger at_once{1, 0};
    setsockopt(socket, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

}  // namespace

bool gate_flow::wants_read(const gate_rules& rules) const {
    return !ended_ && rules.how != gate_rules::mode::stall && size_ < most_waiting;
}

bool gate_flow::wants_write(const gate_rules& rules, time now) const {
    return rules.how == gate_rules::mode::pass && !waiting_.empty() && waiting_.front().due <= now;
}

std::optional<gate_flow::time> gate_flow::due() const {
    if (waiting_.empty()) return std::nullopt;
    return waiting_.front().due;
}

bool gate_flow::read_some(const gate_rules& rules, time now) {
    char bytes[65536];
    const ssize_t got = recv(from_, bytes, sizeof bytes, 0);
    if (got < 0) return would_block();
    ended_ = got == 0;
    waiting_.push_back({std::string(bytes, static_cast<std::size_t>(got)), now + rules.delay});
    size_ += static_cast<std::size_t>(got);
    return true;
}

bool gate_flow::write_some(gate_rules& rules, time now) {
    if (rules.how == gate_rules::mode::swallow) drop_waiting();
    while (wants_write(rules, now) && !rules.exhausted) {
        std::string& bytes = waiting_.front().bytes;
        if (bytes.empty()) {
            shutdown(to_, SHUT_WR);
            finished_ = true;
            waiting_.clear();
            return true;
        }
        const std::size_t most = std::min(bytes.size(), rules.budget.value_or(bytes.size()));
        const ssize_t sent = send(to_, bytes.data(), most, MSG_NOSIGNAL);
        if (sent < 0) return would_block();
        const auto count = static_cast<std::size_t>(sent);
        size_ -= count;
        rules.forwarded += count;
        if (rules.budget) rules.exhausted = (*rules.budget -= count) == 0;
        bytes.erase(0, count);
        if (bytes.empty()) waiting_.pop_front();
    }
    return true;
}

void gate_flow::drop_waiting() {
    std::erase_if(waiting_, [](const chunk& each) { return !each.bytes.empty(); });
    size_ = 0;
}

gate_link::gate_link(int client_socket, int server_socket)
    : client(client_socket),
      server(server_socket),
      to_server(client_socket, server_socket),
      to_client(server_socket, client_socket) {}

gate_link::~gate_link() {
    if (!to_server.finished() || !to_client.finished()) {
        reset(client);
        reset(server);
    }
    close(client);
    close(server);
}

void gate_link::settle() const {
    eventually(
        [this] {
            int to_client_left = 0;
            int to_server_left = 0;
            ioctl(client, SIOCOUTQ, &to_client_left);
            ioctl(server, SIOCOUTQ, &to_server_left);
            return to_client_left == 0 && to_server_left == 0;
        },
        std::chrono::seconds(1));
}

}  // namespace postrider::support
