#include "redis/url.hpp"

#include <algorithm>
#include <charconv>

namespace postrider::redis {
namespace {

constexpr std::size_t longest_url = 4'096;
constexpr auto npos = std::string_view::npos;

void split_credentials(std::string_view text, url_parts& parts) {
    const auto colon = text.find(':');
    parts.user = text.substr(0, colon);
    if (colon != npos) parts.password = text.substr(colon + 1);
}

bool is_plain(char c) {
    return c > ' ' && c < '\x7f';
}

int hex(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

}  // namespace

core::result<url_parts> split_url(std::string_view url) {
    if (url.size() > longest_url) return core::invalid_input("it is longer than 4096 bytes");
    if (!std::all_of(url.begin(), url.end(), is_plain))
        return core::invalid_input(
            "it holds a space, a control character or a letter outside ASCII; write those "
            "percent-encoded, a space as %20");
    const auto scheme_end = url.find("://");
    if (scheme_end == npos)
        return core::invalid_input("'://' is missing; write for example redis://localhost:6379/0");
    url_parts parts;
    parts.scheme = url.substr(0, scheme_end);
    const std::string_view rest = url.substr(scheme_end + 3);

    const std::string_view authority = rest.substr(0, rest.find_first_of("/?#"));
    std::string_view behind = rest.substr(authority.size());
    if (behind.find('@') != npos || behind.find('#') != npos)
        return core::invalid_input(
            "user, password or path hold one of '/', '?', '#' and '@'; write those percent-encoded, "
            "as %2F, %3F, %23 and %40");
    const auto at = authority.rfind('@');
    if (at != npos) split_credentials(authority.substr(0, at), parts);
    parts.place = at == npos ? authority : authority.substr(at + 1);
    parts.path = behind.substr(0, behind.find('?'));
    behind.remove_prefix(parts.path.size());
    if (!behind.empty()) parts.query = behind.substr(1);
    return parts;
}

core::result<url_place> split_place(std::string_view text) {
    url_place place;
    if (text.starts_with('[')) {
        const auto end = text.find(']');
        if (end == npos) return core::invalid_input("a '[' before the host has no ']' behind it");
        place.in_brackets = true;
        place.host = text.substr(1, end - 1);
        const std::string_view behind = text.substr(end + 1);
        if (!behind.empty() && behind[0] != ':')
            return core::invalid_input("behind the ']' only ':' and a port can follow");
        if (!behind.empty()) place.port = behind.substr(1);
        return place;
    }
    const auto colon = text.find(':');
    // More than one colon: an IPv6 address without brackets, which the caller names as such.
    const bool one = colon != npos && text.find(':', colon + 1) == npos;
    place.host = one ? text.substr(0, colon) : text;
    if (one) place.port = text.substr(colon + 1);
    return place;
}

std::optional<std::string> percent_decoded(std::string_view text) {
    std::string decoded;
    decoded.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            decoded += text[i];
            continue;
        }
        if (text.size() - i < 3) return std::nullopt;
        const int high = hex(text[i + 1]);
        const int low = hex(text[i + 2]);
        if (high < 0 || low < 0) return std::nullopt;
        decoded += static_cast<char>(high * 16 + low);
        i += 2;
    }
    return decoded;
}

std::optional<unsigned> number(std::string_view digits, unsigned largest) {
    unsigned value = 0;
    const char* end = digits.data() + digits.size();
    const auto [stopped, error] = std::from_chars(digits.data(), end, value);
    if (error != std::errc() || stopped != end || value > largest) return std::nullopt;
    return value;
}

bool is_host(std::string_view text) {
    constexpr std::size_t longest_host = 255;
    return !text.empty() && text.size() <= longest_host && std::all_of(text.begin(), text.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               std::string_view("-._~:%").find(c) != npos;
    });
}

}  // namespace postrider::redis
