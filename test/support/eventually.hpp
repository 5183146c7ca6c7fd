#pragma once

#include <chrono>
#include <functional>

namespace postrider::support {

// Asks every few milliseconds until the condition holds; false when it still does not after the limit.
// An exception of the condition passes through.
bool eventually(const std::function<bool()>& condition,
                std::chrono::seconds limit = std::chrono::seconds(30));

}  // namespace postrider::support
