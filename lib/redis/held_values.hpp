#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "core/clock.hpp"

namespace postrider::redis {

// Values that somebody holds in memory whatever becomes of Redis, and writes there in a way of his own.
struct held_values {
    std::function<std::size_t()> count;
    std::function<std::optional<std::string>(std::string_view key)> find;
    // Shows the keys, in no order, until `visit` returns false.
    std::function<void(const std::function<bool(std::string key)>& visit)> visit_keys;
    // Every change made before this time stands in Redis.
    std::function<core::steady::time_point(core::steady::time_point now)> saved_until;
    // Why Redis does not take them at present; empty: it does.
    std::function<std::string()> hindrance;
};

}  // namespace postrider::redis
