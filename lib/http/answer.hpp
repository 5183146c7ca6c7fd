#pragma once

#include <string>
#include <string_view>

#include "core/clock.hpp"
#include "http/message.hpp"

namespace postrider::http {

// What the head of an answer says beside the response itself.
struct framing {
    bool with_body = true;    // false for HEAD: the length is named, the body left away
    bool keep_alive = true;   // false: "Connection: close"
    bool old_client = false;  // HTTP/1.0 has to be told that its connection stays
};

// {"error":words} under a status.
response error_response(unsigned status, std::string_view words);

// The bytes of an answer (RFC 9112). `date` is a Date header's value.
std::string render(const response& r, const framing& how, std::string_view date);

// The Date header's value, formatted once a second.
class date_cache {
 public:
    const std::string& at(core::wall::time_point now);

 private:
    std::chrono::sys_seconds second_{};
    std::string text_;
};

}  // namespace postrider::http
