#pragma once

#include <cstdint>
#include <vector>

namespace postrider::support {

// What the kernel was told to ask of a quiet TCP connection.
struct keepalive {
    bool on = false;
    int idle = 0;  // seconds of quiet until the first question
    int interval = 0;
    int count = 0;

    bool operator==(const keepalive&) const = default;
};

// Of every connection that this very process has open to the loopback port.
std::vector<keepalive> keepalives_to(std::uint16_t port);

}  // namespace postrider::support
