#pragma once

#include <cstdint>

namespace postrider::support {

// A loopback port nobody uses, below the range that outgoing connections draw from. It stays reserved among
// all processes that call this, until the calling process ends. Throws std::runtime_error when none is left.
std::uint16_t free_port();

}  // namespace postrider::support
