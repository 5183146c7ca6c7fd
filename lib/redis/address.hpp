#pragma once

#include <cstdint>
#include <string>
#include <tuple>

namespace postrider::redis {

// Where a server listens.
struct address {
    std::string host;
    std::uint16_t port = 0;

    friend bool operator==(const address&, const address&) = default;
    friend bool operator<(const address& a, const address& b) {
        return std::tie(a.host, a.port) < std::tie(b.host, b.port);
    }
};

// "host:port", an IPv6 address in brackets.
inline std::string to_text(const address& a) {
    const bool ipv6 = a.host.find(':') != std::string::npos;
    return (ipv6 ? '[' + a.host + ']' : a.host) + ':' + std::to_string(a.port);
}

}  // namespace postrider::redis
