#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "redis/pipeline.hpp"
#include "redis/place.hpp"
#include "redis/push_line.hpp"

namespace postrider::redis {

// Everything but the batch that a call of push.lua needs.
struct push_terms {
    std::string_view script_sha;
    std::string_view writer;
    std::uint64_t epoch = 0;
    const std::function<place(std::size_t route)>& place_of;
    const std::function<std::vector<std::string>(const delivery& d)>& stream_fields;
};

// Appends the call of push.lua that delivers a batch: pure.
void append_push(pipeline& p, const event::target& to, const batch& b, const push_terms& terms);

}  // namespace postrider::redis
