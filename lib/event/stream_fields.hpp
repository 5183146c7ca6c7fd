#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "event/dead_letter.hpp"
#include "event/route.hpp"

namespace postrider::event {

// What stands in a stream's entry beside its data: name and value by turns, in the route's order. They are
// read from what is pushed, so that a dead letter has them too. Strings as they are, anything else as its raw
// JSON, "null" where there is nothing. Nothing for other targets.
std::vector<std::string> stream_fields(const route& r, std::string_view body);

// The same for a refused push; nothing where its route is not among these any more.
std::vector<std::string> stream_fields(const std::vector<route>& routes, const dead_letter& l);

}  // namespace postrider::event
