#include "core/backoff.hpp"

#include <algorithm>

namespace postrider::core {

backoff::backoff(milliseconds first, milliseconds cap, std::uint64_t seed)
    : first_(first), cap_(cap), random_(seed) {}

backoff::milliseconds backoff::next() {
    // 2^20 steps of even 1 ms are beyond every sensible cap, so the shift cannot overflow.
    const auto doublings = std::min(attempts_++, 20U);
    const auto step = std::min(first_ * (std::int64_t{1} << doublings), cap_);
    std::uniform_int_distribution<std::int64_t> shorten(0, step.count() / 4);
    return step - milliseconds(shorten(random_));
}

}  // namespace postrider::core
