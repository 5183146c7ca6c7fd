#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace postrider::http {

struct target {
    std::string path;   // decoded
    std::string query;  // as it came, without '?'
};

// Reads a request target (RFC 9112 section 3.2): "/path?query", "http://host/path?query" or "*". Nothing
// where it is none of these, where a percent sign has not two hex digits behind it, or where a control
// character hides in the path.
std::optional<target> parse_target(std::string_view text);

}  // namespace postrider::http
