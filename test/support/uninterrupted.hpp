#pragma once

#include <cerrno>

namespace postrider::support {

// A call of the system, made again where a signal has interrupted it: a socket with a time limit is not
// resumed when its process was stopped for a while, by a debugger or with the whole machine.
template <class Call>
auto uninterrupted(Call call) {
    for (;;) {
        const auto result = call();
        if (result >= 0 || errno != EINTR) return result;
    }
}

}  // namespace postrider::support
