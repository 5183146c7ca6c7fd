#pragma once

#include <simdjson.h>

#include <cstddef>
#include <string_view>
#include <vector>

namespace postrider::event {

// Says whether a text is JSON. It keeps simdjson's parser and a padded buffer from call to call.
class json_check {
 public:
    // One value (RFC 8259) with nothing but blanks around it, in UTF-8 without a byte order mark, nested at
    // most 1,024 deep, its escaped surrogates in pairs. Numbers may be of any size, as Postgres' numeric is.
    bool valid(std::string_view text);

 private:
    void keep_small();

    simdjson::dom::parser parser_;
    std::vector<char> buffer_;
};

}  // namespace postrider::event
