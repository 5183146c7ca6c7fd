#include "core/printable.hpp"

#include <fmt/format.h>

#include <cstddef>
#include <iterator>

namespace postrider::core {

namespace {

constexpr std::string_view replacement = "\xEF\xBF\xBD";

struct piece {
    std::size_t length;  // of the character, or of the broken part
    bool valid;
};

// The character at the front by Unicode's table 3-7, which leaves out overlong forms and surrogates.
piece take(std::string_view text) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned first = byte(0);
    if (first < 0x80) return {1, true};
    std::size_t length = 0;
    unsigned low = 0x80, high = 0xBF;
    if (first >= 0xC2 && first <= 0xDF) {
        length = 2;
    } else if (first >= 0xE0 && first <= 0xEF) {
        length = 3;
        if (first == 0xE0) low = 0xA0;
        if (first == 0xED) high = 0x9F;
    } else if (first >= 0xF0 && first <= 0xF4) {
        length = 4;
        if (first == 0xF0) low = 0x90;
        if (first == 0xF4) high = 0x8F;
    }
    if (length == 0) return {1, false};
    for (std::size_t i = 1; i < length; ++i) {
        if (i == text.size() || byte(i) < low || byte(i) > high) return {i, false};
        low = 0x80;
        high = 0xBF;
    }
    return {length, true};
}

// The letter behind the backslash where JSON and C have a short form for a control character; 0: none.
char short_form(char c) {
    if (c == '\n') return 'n';
    if (c == '\r') return 'r';
    if (c == '\t') return 't';
    return 0;
}

template <class Escape>
void append_escaped(std::string& out, std::string_view text, Escape escape) {
    while (!text.empty()) {
        const auto [length, valid] = take(text);
        if (!valid) {
            out.append(replacement);
        } else if (length > 1 || !escape(out, text.front())) {
            out.append(text.substr(0, length));
        }
        text.remove_prefix(length);
    }
}

bool is_control(char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
}

}  // namespace

std::string json_string(std::string_view text) {
    std::string out = "\"";
    append_escaped(out, text, [](std::string& to, char c) {
        if (c == '"' || c == '\\') {
            to.push_back('\\');
            to.push_back(c);
        } else if (const char letter = short_form(c); letter != 0) {
            to.push_back('\\');
            to.push_back(letter);
        } else if (is_control(c)) {
            fmt::format_to(std::back_inserter(to), "\\u{:04x}", static_cast<unsigned>(c));
        } else {
            return false;
        }
        return true;
    });
    out.push_back('"');
    return out;
}

std::string one_line(std::string_view text) {
    std::string out;
    append_escaped(out, text, [](std::string& to, char c) {
        if (!is_control(c)) return false;
        if (const char letter = short_form(c); letter != 0) {
            to.push_back('\\');
            to.push_back(letter);
        } else {
            fmt::format_to(std::back_inserter(to), "\\x{:02x}", static_cast<unsigned>(c));
        }
        return true;
    });
    return out;
}

std::string excerpt(std::string_view payload) {
    return one_line(payload.substr(0, 200));
}

}  // namespace postrider::core
