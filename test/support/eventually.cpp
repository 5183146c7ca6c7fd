#include "support/eventually.hpp"

#include <algorithm>
#include <thread>

namespace postrider::support {
namespace {

using clock = std::chrono::steady_clock;
constexpr clock::duration shortest = std::chrono::milliseconds(3);
constexpr clock::duration longest = std::chrono::milliseconds(15);

// What takes long is asked ever more rarely, so that programs side by side do not take from each other what
// they wait for.
bool ask(const std::function<bool()>& condition, std::chrono::seconds limit, clock::duration longest_pause) {
    const auto began = clock::now();
    for (;;) {
        const auto asked = clock::now();
        if (condition()) return true;
        const auto now = clock::now();
        if (now >= began + limit) return false;
        const auto suggested = std::max((now - began) / 64, now - asked);
        std::this_thread::sleep_for(std::clamp(suggested, shortest, longest_pause));
    }
}

}  // namespace

bool eventually(const std::function<bool()>& condition, std::chrono::seconds limit) {
    return ask(condition, limit, longest);
}

bool repeatedly(const std::function<bool()>& action, std::chrono::seconds limit) {
    return ask(action, limit, shortest);
}

}  // namespace postrider::support
