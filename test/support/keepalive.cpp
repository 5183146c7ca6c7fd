#include "support/keepalive.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <filesystem>
#include <string>

namespace postrider::support {
namespace {

bool leads_to(int descriptor, std::uint16_t port) {
    sockaddr_storage peer{};
    socklen_t size = sizeof peer;
    if (getpeername(descriptor, reinterpret_cast<sockaddr*>(&peer), &size) != 0) return false;
    return peer.ss_family == AF_INET && reinterpret_cast<const sockaddr_in&>(peer).sin_port == htons(port);
}

int option(int descriptor, int level, int name) {
    int value = -1;
    socklen_t size = sizeof value;
    getsockopt(descriptor, level, name, &value, &size);
    return value;
}

}  // namespace

std::vector<keepalive> keepalives_to(std::uint16_t port) {
    std::vector<keepalive> all;
    for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
        const int descriptor = std::stoi(entry.path().filename());
        if (!leads_to(descriptor, port)) continue;
        keepalive each;
        each.on = option(descriptor, SOL_SOCKET, SO_KEEPALIVE) == 1;
        each.idle = option(descriptor, IPPROTO_TCP, TCP_KEEPIDLE);
        each.interval = option(descriptor, IPPROTO_TCP, TCP_KEEPINTVL);
        each.count = option(descriptor, IPPROTO_TCP, TCP_KEEPCNT);
        all.push_back(each);
    }
    return all;
}

}  // namespace postrider::support
