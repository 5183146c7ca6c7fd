#include "core/token.hpp"

#include <fmt/format.h>

#include <random>

namespace postrider::core {

std::string random_token() {
    std::random_device device;
    return fmt::format("{:08x}{:08x}{:08x}", device(), device(), device());
}

}  // namespace postrider::core
