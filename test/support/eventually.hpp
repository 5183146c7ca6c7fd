#pragma once

#include <chrono>
#include <functional>

namespace postrider::support {

// Asks until the condition holds, first every few milliseconds and then more rarely; false when it still does
// not after the limit. An exception of the condition passes through.
bool eventually(const std::function<bool()>& condition,
                std::chrono::seconds limit = std::chrono::seconds(90));

// The same for what does something each time, such as writing a message: at an even pace from beginning to
// end.
bool repeatedly(const std::function<bool()>& action, std::chrono::seconds limit = std::chrono::seconds(90));

}  // namespace postrider::support
