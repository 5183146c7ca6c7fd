#pragma once

#include <spdlog/common.h>

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace spdlog::details {
struct log_msg;
}

namespace postrider::core {

// By which the lines about one thing are found together: "key", "route", "group".
struct log_field {
    std::string_view name;  // a word of letters and '_'
    std::variant<std::string_view, std::uint64_t> value;
};

// Says a sentence with its fields: as "sentence route=chat key=k7" in text, as members of their own in JSON.
// Empty texts are left out. Of a value and of `payload` the first 200 bytes are shown, without what is secret
// in connection strings. Lines that differ in nothing but the payload are alike, see log_storm.hpp.
void log_event(spdlog::level::level_enum level, std::string_view sentence,
               std::initializer_list<log_field> fields, std::string_view payload = {});

// Whether this level is shown, for those to whom the words alone cost too much.
bool shows(spdlog::level::level_enum level);

// A line taken apart again; one that did not come from log_event() is all sentence.
struct log_parts {
    std::string_view sentence;
    std::string_view fields;  // each with a blank in front; the values are JSON, or bare words
    std::optional<std::string_view> payload;  // as it came
};
log_parts parts_of(const spdlog::details::log_msg& line);

// What marks a line of a sentence that is so long and its fields, for those who write one themselves.
spdlog::source_loc fields_behind(std::size_t sentence);

// The fields as JSON members, each with a comma in front.
void append_members(std::string& to, std::string_view fields);

}  // namespace postrider::core
