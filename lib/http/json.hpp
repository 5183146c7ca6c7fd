#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace postrider::http {

// Writes one JSON value, its keys in the order of the calls. The caller opens and closes in pairs and gives
// each member of an object a key; the commas are the writer's.
class json_writer {
 public:
    json_writer& object() { return open('{'); }
    json_writer& end_object() { return close('}'); }
    json_writer& array() { return open('['); }
    json_writer& end_array() { return close(']'); }
    json_writer& key(std::string_view name);

    // Any bytes: what is not UTF-8 becomes U+FFFD, so that the answer stays valid JSON (RFC 8259
    // section 8.1).
    json_writer& string(std::string_view value);
    json_writer& integer(std::int64_t value);
    json_writer& count(std::uint64_t value);
    // Rounded to `decimals` places (0 to 9), without trailing zeros; null where the number is not finite.
    json_writer& number(double value, int decimals = 3);
    json_writer& boolean(bool value);
    json_writer& null();
    // A finished JSON value.
    json_writer& raw(std::string_view json);

    // The finished text.
    std::string take() { return std::move(out_); }

 private:
    json_writer& open(char bracket);
    json_writer& close(char bracket);
    void separate();
    void quote(std::string_view text);

    std::string out_;
    bool comma_ = false;  // the next value or key stands behind another one
};

}  // namespace postrider::http
