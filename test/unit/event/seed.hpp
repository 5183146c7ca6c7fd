#pragma once

#include <doctest/doctest.h>

#include <cstdint>
#include <cstdlib>
#include <random>
#include <string>

namespace postrider::test {

// A new seed each run, or POSTRIDER_SEED to see a failure again.
inline std::uint64_t random_seed() {
    const char* const given = std::getenv("POSTRIDER_SEED");
    const std::uint64_t seed = given != nullptr ? std::stoull(given) : std::random_device{}();
    MESSAGE("POSTRIDER_SEED=", seed);
    return seed;
}

// Within [low, high].
inline int throw_dice(std::mt19937_64& dice, int low, int high) {
    return low + static_cast<int>(dice() % static_cast<std::uint64_t>(high - low + 1));
}

}  // namespace postrider::test
