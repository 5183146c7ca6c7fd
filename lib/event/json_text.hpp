#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace postrider::event {

// Finding one's way in JSON text that json_check has accepted, byte for byte. Other text is read within its
// bounds too, but what is found there means nothing.

// The value under a JSON pointer (RFC 6901); of members with one name the first. Empty: there is none, or the
// pointer is not one.
std::optional<std::string_view> find_json(std::string_view text, std::string_view pointer);

// The values of a list whose brackets are left off, without the blanks around them.
std::vector<std::string_view> split_json(std::string_view list);

bool is_json_string(std::string_view value);
bool is_json_number(std::string_view value);

// What a JSON string, quotes included, stands for, as UTF-8.
std::string unquote_json(std::string_view value);

// Appends text (UTF-8) as a JSON string, quotes included.
void append_quoted(std::string& out, std::string_view text);

}  // namespace postrider::event
