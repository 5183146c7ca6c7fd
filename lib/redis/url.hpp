#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/error.hpp"

namespace postrider::redis {

// A URL cut at its marks (RFC 3986, section 3); every part points into the URL and is still percent-encoded.
struct url_parts {
    std::string_view scheme;
    std::string_view user;
    std::string_view password;
    std::string_view place;  // host and port, or several with commas between them
    std::string_view path;   // with its leading '/', or empty
    std::string_view query;
};

// One place, cut: "host", "host:port", "[address]:port".
struct url_place {
    std::string_view host;
    bool in_brackets = false;
    std::optional<std::string_view> port;
};

// Cuts a URL of at most 4,096 bytes. Errors are words to follow "the URL is wrong: "; they show no part of
// it, because a misplaced mark makes any part the password.
core::result<url_parts> split_url(std::string_view url);
core::result<url_place> split_place(std::string_view text);

// "%2F" becomes "/"; nothing where a '%' is not followed by two hexadecimal digits.
std::optional<std::string> percent_decoded(std::string_view text);

// Decimal digits alone, at most `largest`.
std::optional<unsigned> number(std::string_view digits, unsigned largest);

// Up to 255 bytes that a host name or an address can consist of.
bool is_host(std::string_view text);

}  // namespace postrider::redis
