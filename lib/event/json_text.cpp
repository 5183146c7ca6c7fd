#include "event/json_text.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>

namespace postrider::event {

namespace {

constexpr auto none = std::string_view::npos;

bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

std::size_t skip_blanks(std::string_view text, std::size_t at) {
    while (at < text.size() && is_blank(text[at]))
        ++at;
    return at;
}

// From an opening quote to behind the closing one.
std::size_t skip_string(std::string_view text, std::size_t opening) {
    for (auto quote = text.find('"', opening + 1); quote != none; quote = text.find('"', quote + 1)) {
        auto before = quote - 1;
        while (before > opening && text[before] == '\\')
            --before;
        const auto backslashes = quote - 1 - before;
        if (backslashes % 2 == 0) return quote + 1;
    }
    return text.size();
}

std::size_t skip_nested(std::string_view text, std::size_t at) {
    std::size_t depth = 0;
    while (at < text.size()) {
        const char c = text[at];
        if (c == '"') {
            at = skip_string(text, at);
            continue;
        }
        ++at;
        if (c == '{' || c == '[') ++depth;
        if ((c == '}' || c == ']') && --depth == 0) return at;
    }
    return at;
}

std::size_t skip_value(std::string_view text, std::size_t at) {
    if (at >= text.size()) return text.size();
    if (text[at] == '"') return skip_string(text, at);
    if (text[at] == '{' || text[at] == '[') return skip_nested(text, at);
    while (at < text.size() && text[at] != ',' && text[at] != '}' && text[at] != ']' && !is_blank(text[at]))
        ++at;
    return at;
}

// Whether a pointer's token, its ~0 and ~1 not yet replaced, stands for this name.
bool token_means(std::string_view token, std::string_view name) {
    if (token.find('~') == none) return token == name;
    std::size_t at = 0;
    for (const char c : name) {
        if (at >= token.size()) return false;
        if (token[at] == '~') {
            const auto escape = token.substr(at, 2);
            if (!(escape == "~0" && c == '~') && !(escape == "~1" && c == '/')) return false;
            at += 2;
        } else if (token[at++] != c) {
            return false;
        }
    }
    return at == token.size();
}

// Where the value of the member that the token names begins.
std::size_t find_member(std::string_view text, std::size_t brace, std::string_view token) {
    auto at = skip_blanks(text, brace + 1);
    while (at < text.size() && text[at] == '"') {
        const auto name_end = skip_string(text, at);
        const auto name = text.substr(at, name_end - at);
        const auto value = skip_blanks(text, skip_blanks(text, name_end) + 1);
        if (value >= text.size()) return none;
        const bool escaped = name.find('\\') != none;
        const bool found = escaped ? token_means(token, unquote_json(name))
                                   : name.size() > 1 && token_means(token, name.substr(1, name.size() - 2));
        if (found) return value;
        at = skip_blanks(text, skip_value(text, value));
        if (at >= text.size() || text[at] != ',') return none;
        at = skip_blanks(text, at + 1);
    }
    return none;
}

// Where the element with the token's number begins.
std::size_t find_element(std::string_view text, std::size_t bracket, std::string_view token) {
    if (token.empty() || (token.size() > 1 && token.front() == '0')) return none;
    std::uint32_t wanted = 0;
    const auto [end, error] = std::from_chars(token.data(), token.data() + token.size(), wanted);
    if (error != std::errc() || end != token.data() + token.size()) return none;
    auto at = skip_blanks(text, bracket + 1);
    for (; wanted > 0; --wanted) {
        at = skip_blanks(text, skip_value(text, at));
        if (at >= text.size() || text[at] != ',') return none;
        at = skip_blanks(text, at + 1);
    }
    return at < text.size() && text[at] != ']' ? at : none;
}

// The four digits of a \u escape.
std::uint32_t hex_digits(std::string_view text) {
    std::uint32_t value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value, 16);
    return value;
}

void append_utf8(std::string& out, std::uint32_t code) {
    const auto put = [&out](std::uint32_t byte) { out.push_back(static_cast<char>(byte)); };
    if (code < 0x80) {
        put(code);
    } else if (code < 0x800) {
        put(0xC0 | code >> 6);
        put(0x80 | (code & 0x3F));
    } else if (code < 0x10000) {
        put(0xE0 | code >> 12);
        put(0x80 | (code >> 6 & 0x3F));
        put(0x80 | (code & 0x3F));
    } else {
        put(0xF0 | code >> 18);
        put(0x80 | (code >> 12 & 0x3F));
        put(0x80 | (code >> 6 & 0x3F));
        put(0x80 | (code & 0x3F));
    }
}

// Appends what the escape behind a backslash stands for; returns how many characters it took.
std::size_t append_unescaped(std::string& out, std::string_view escape) {
    constexpr std::string_view letters = "bfnrt";
    constexpr std::string_view meanings = "\b\f\n\r\t";
    const auto letter = letters.find(escape.front());
    if (letter != none) {
        out.push_back(meanings[letter]);
        return 1;
    }
    if (escape.front() != 'u') {
        out.push_back(escape.front());
        return 1;
    }
    auto code = hex_digits(escape.substr(1, 4));
    const bool pair = code >= 0xD800 && code < 0xDC00 && escape.size() >= 11;
    if (pair) code = 0x10000 + ((code - 0xD800) << 10) + (hex_digits(escape.substr(7, 4)) & 0x3FF);
    append_utf8(out, code);
    return std::min<std::size_t>(pair ? 11 : 5, escape.size());
}

}  // namespace

std::optional<std::string_view> find_json(std::string_view text, std::string_view pointer) {
    auto at = skip_blanks(text, 0);
    while (!pointer.empty()) {
        if (pointer.front() != '/' || at >= text.size()) return std::nullopt;
        const auto token = pointer.substr(1, pointer.find('/', 1) - 1);
        pointer.remove_prefix(1 + token.size());
        if (text[at] == '{') {
            at = find_member(text, at, token);
        } else if (text[at] == '[') {
            at = find_element(text, at, token);
        } else {
            return std::nullopt;
        }
        if (at == none) return std::nullopt;
    }
    if (at >= text.size()) return std::nullopt;
    return text.substr(at, skip_value(text, at) - at);
}

std::vector<std::string_view> split_json(std::string_view list) {
    std::vector<std::string_view> values;
    for (auto at = skip_blanks(list, 0); at < list.size(); at = skip_blanks(list, at + 1)) {
        const auto end = skip_value(list, at);
        values.push_back(list.substr(at, end - at));
        at = skip_blanks(list, end);
    }
    return values;
}

bool is_json_string(std::string_view value) {
    return !value.empty() && value.front() == '"';
}

bool is_json_number(std::string_view value) {
    return !value.empty() && (value.front() == '-' || (value.front() >= '0' && value.front() <= '9'));
}

std::string unquote_json(std::string_view value) {
    if (value.size() < 2) return {};
    value = value.substr(1, value.size() - 2);
    std::string text;
    for (;;) {
        const auto backslash = value.find('\\');
        text.append(value.substr(0, backslash));
        if (backslash == none || backslash + 1 == value.size()) return text;
        value.remove_prefix(backslash + 1);
        value.remove_prefix(append_unescaped(text, value));
    }
}

void append_quoted(std::string& out, std::string_view text) {
    constexpr std::string_view digits = "0123456789abcdef";
    out.push_back('"');
    for (const char c : text) {
        const auto code = static_cast<unsigned char>(c);
        if (code < 0x20) {
            out.append("\\u00").push_back(digits[code >> 4]);
            out.push_back(digits[code & 0xF]);
        } else {
            if (c == '"' || c == '\\') out.push_back('\\');
            out.push_back(c);
        }
    }
    out.push_back('"');
}

}  // namespace postrider::event
