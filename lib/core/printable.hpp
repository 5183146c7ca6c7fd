#pragma once

#include <string>
#include <string_view>

namespace postrider::core {

// The text as a JSON string with its quotes (RFC 8259, section 7); every maximal part that is not UTF-8
// (RFC 3629) becomes one U+FFFD.
std::string json_string(std::string_view text);

// The text on one line: line ends and other control characters as \n, \t, \x1b …; what is not UTF-8 as
// U+FFFD.
std::string one_line(std::string_view text);

// The same of a payload's first 200 bytes, enough to find its sender.
std::string excerpt(std::string_view payload);

}  // namespace postrider::core
