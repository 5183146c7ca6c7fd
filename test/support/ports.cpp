#include "support/ports.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <random>
#include <stdexcept>
#include <string>

namespace postrider::support {
namespace {

// A name in the abstract socket namespace, held until this process ends, keeps other test programs off it.
bool reserve(std::uint16_t port) {
    const std::string name = "postrider-test-port-" + std::to_string(port);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::copy(name.begin(), name.end(), address.sun_path + 1);
    const int holder = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (holder < 0) return false;
    const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
    if (bind(holder, reinterpret_cast<const sockaddr*>(&address), length) == 0) return true;
    close(holder);
    return false;
}

bool unused(std::uint16_t port) {
    const int probe = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (probe < 0) return false;
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    // The any-address conflicts with a listener on whichever address.
    address.sin_addr.s_addr = htonl(INADDR_ANY);
    const bool bound = bind(probe, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    close(probe);
    return bound;
}

}  // namespace

std::uint16_t free_port() {
    std::random_device entropy;
    std::uniform_int_distribution<int> any(12000, 31999);
    for (int attempt = 0; attempt < 1000; ++attempt) {
        const auto port = static_cast<std::uint16_t>(any(entropy));
        if (reserve(port) && unused(port)) return port;
    }
    throw std::runtime_error("no free loopback port between 12000 and 31999 after 1000 attempts");
}

}  // namespace postrider::support
