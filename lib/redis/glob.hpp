#pragma once

#include <string_view>

namespace postrider::redis {

// Whether a text matches a pattern as KEYS and SCAN read it (https://redis.io/docs/latest/commands/keys/):
// * any text, ? any byte, [ab-z] one of these, [^a] none of these, \ takes the next byte as it is. The time
// is at most the product of both lengths.
bool matches_glob(std::string_view pattern, std::string_view text);

}  // namespace postrider::redis
