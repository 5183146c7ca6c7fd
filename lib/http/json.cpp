#include "http/json.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>

namespace postrider::http {
namespace {

bool continues(std::string_view text, std::size_t at, unsigned char low = 0x80, unsigned char high = 0xBF) {
    if (at >= text.size()) return false;
    const auto c = static_cast<unsigned char>(text[at]);
    return c >= low && c <= high;
}

// Length of the well-formed UTF-8 sequence at `at` (Unicode, table 3-7), 0 where there is none.
std::size_t sequence(std::string_view text, std::size_t at) {
    const auto lead = static_cast<unsigned char>(text[at]);
    if (lead < 0x80) return 1;
    if (lead >= 0xC2 && lead <= 0xDF) return continues(text, at + 1) ? 2 : 0;
    if (lead >= 0xE0 && lead <= 0xEF) {
        const unsigned char low = lead == 0xE0 ? 0xA0 : 0x80;
        const unsigned char high = lead == 0xED ? 0x9F : 0xBF;
        return continues(text, at + 1, low, high) && continues(text, at + 2) ? 3 : 0;
    }
    if (lead >= 0xF0 && lead <= 0xF4) {
        const unsigned char low = lead == 0xF0 ? 0x90 : 0x80;
        const unsigned char high = lead == 0xF4 ? 0x8F : 0xBF;
        return continues(text, at + 1, low, high) && continues(text, at + 2) && continues(text, at + 3) ? 4
                                                                                                        : 0;
    }
    return 0;
}

void escape(std::string& out, char c) {
    static constexpr std::string_view hex = "0123456789abcdef";
    switch (c) {
        case '"':
            out += "\\\"";
            return;
        case '\\':
            out += "\\\\";
            return;
        case '\n':
            out += "\\n";
            return;
        case '\r':
            out += "\\r";
            return;
        case '\t':
            out += "\\t";
            return;
        default:
            break;
    }
    const auto code = static_cast<unsigned char>(c);
    if (code >= 0x20 && code != 0x7F) {
        out += c;
        return;
    }
    out += "\\u00";
    out += hex[code >> 4];
    out += hex[code & 0xF];
}

}  // namespace

void json_writer::separate() {
    if (comma_) out_ += ',';
    comma_ = true;
}

json_writer& json_writer::open(char bracket) {
    separate();
    out_ += bracket;
    comma_ = false;
    return *this;
}

json_writer& json_writer::close(char bracket) {
    out_ += bracket;
    comma_ = true;
    return *this;
}

json_writer& json_writer::key(std::string_view name) {
    separate();
    quote(name);
    out_ += ':';
    comma_ = false;
    return *this;
}

json_writer& json_writer::string(std::string_view value) {
    separate();
    quote(value);
    return *this;
}

json_writer& json_writer::integer(std::int64_t value) {
    separate();
    out_ += std::to_string(value);
    return *this;
}

json_writer& json_writer::count(std::uint64_t value) {
    separate();
    out_ += std::to_string(value);
    return *this;
}

json_writer& json_writer::number(double value, int decimals) {
    if (!std::isfinite(value)) return null();
    separate();
    std::array<char, 350> digits{};  // the largest double has 309 digits before the point
    const auto end =
        std::to_chars(digits.data(), digits.data() + digits.size(), value, std::chars_format::fixed, decimals)
            .ptr;
    std::string_view text(digits.data(), static_cast<std::size_t>(end - digits.data()));
    if (text.find('.') != std::string_view::npos) {
        text = text.substr(0, text.find_last_not_of('0') + 1);
        if (text.back() == '.') text.remove_suffix(1);
    }
    out_ += text == "-0" ? "0" : text;
    return *this;
}

json_writer& json_writer::boolean(bool value) {
    separate();
    out_ += value ? "true" : "false";
    return *this;
}

json_writer& json_writer::null() {
    separate();
    out_ += "null";
    return *this;
}

json_writer& json_writer::raw(std::string_view json) {
    separate();
    out_ += json;
    return *this;
}

void json_writer::quote(std::string_view text) {
    out_ += '"';
    for (std::size_t at = 0; at < text.size();) {
        const auto length = sequence(text, at);
        if (length == 1) {
            escape(out_, text[at]);
        } else if (length == 0) {
            out_ += "\xEF\xBF\xBD";
        } else {
            out_ += text.substr(at, length);
        }
        at += length == 0 ? 1 : length;
    }
    out_ += '"';
}

}  // namespace postrider::http
