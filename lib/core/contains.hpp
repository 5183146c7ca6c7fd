#pragma once

#include <algorithm>

namespace postrider::core {

template <class Range, class Value>
constexpr bool contains(const Range& range, const Value& value) {
    return std::find(range.begin(), range.end(), value) != range.end();
}

}  // namespace postrider::core
