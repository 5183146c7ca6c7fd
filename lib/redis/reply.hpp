#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace postrider::redis {

// One RESP2 reply (https://redis.io/docs/latest/develop/reference/protocol-spec/).
struct reply {
    enum class kind { nil, string, status, error, integer, array };
    kind type = kind::nil;
    std::string text;          // string, status, error
    std::int64_t integer = 0;  // integer
    std::vector<reply> items;  // array

    bool is_error() const { return type == kind::error; }
};

}  // namespace postrider::redis
