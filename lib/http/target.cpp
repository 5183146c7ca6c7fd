#include "http/target.hpp"

#include <algorithm>
#include <cctype>

namespace postrider::http {
namespace {

int hex_value(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

std::optional<std::string> decode(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        auto code = static_cast<unsigned char>(text[i]);
        if (text[i] == '%') {
            if (text.size() - i < 3) return std::nullopt;
            const int high = hex_value(text[i + 1]);
            const int low = hex_value(text[i + 2]);
            if (high < 0 || low < 0) return std::nullopt;
            code = static_cast<unsigned char>(high * 16 + low);
            i += 2;
        }
        if (code < 0x20 || code == 0x7F) return std::nullopt;
        out += static_cast<char>(code);
    }
    return out;
}

bool starts_with_ignoring_case(std::string_view text, std::string_view prefix) {
    if (text.size() < prefix.size()) return false;
    return std::equal(prefix.begin(), prefix.end(), text.begin(), [](char expected, char c) {
        return expected == static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    });
}

// Takes "http://host:port" off, which a proxy's client leaves on.
std::string_view without_origin(std::string_view text) {
    for (const std::string_view scheme : {"http://", "https://"}) {
        if (!starts_with_ignoring_case(text, scheme)) continue;
        text.remove_prefix(scheme.size());
        text.remove_prefix(std::min(text.find_first_of("/?#"), text.size()));
        return text;
    }
    return text;
}

}  // namespace

std::optional<target> parse_target(std::string_view text) {
    if (text == "*") return target{.path = "*", .query = ""};
    const auto rest = without_origin(text);
    const bool absolute = rest.size() != text.size();
    if (!absolute && !rest.starts_with('/')) return std::nullopt;
    const auto mark = std::min(rest.find_first_of("?#"), rest.size());
    auto path = decode(rest.substr(0, mark));
    if (!path) return std::nullopt;
    if (path->empty()) path->push_back('/');
    auto query = rest.substr(mark);
    query = query.substr(0, query.find('#'));
    if (!query.empty()) query.remove_prefix(1);
    return target{.path = std::move(*path), .query = std::string(query)};
}

}  // namespace postrider::http
