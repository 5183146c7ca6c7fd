#include "core/redact.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include "core/ascii.hpp"

namespace postrider::core {

namespace {

constexpr std::string_view stars = "***";
constexpr std::string_view scheme_end = "://";
constexpr auto npos = std::string_view::npos;

bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool is_space(char c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\v' || c == '\f';
}
bool in_scheme(char c) {
    return is_letter(c) || is_digit(c) || c == '+' || c == '-' || c == '.';
}
bool in_name(char c) {
    return is_letter(c) || is_digit(c) || c == '_' || c == '-';
}

// Where the text that may belong to a URL's userinfo ends: at a line's end, or at the next URL.
std::size_t reach_of(std::string_view text, std::size_t from) {
    const auto end = std::min(text.find(scheme_end, from), text.size());
    return std::min(text.substr(0, end).find_first_of("\r\n", from), end);
}

// host:6379 and what may follow a port; anything else behind a colon may be the start of a password.
bool may_hold_password(std::string_view authority) {
    const auto colon = authority.rfind(':');
    if (colon == npos || authority.find(']', colon) != npos) return false;
    const auto behind = authority.substr(colon + 1);
    const auto stop = std::find_if_not(behind.begin(), behind.end(), is_digit);
    if (stop == behind.begin()) return stop != behind.end();
    return stop != behind.end() && std::string_view("/?#,;.)]}:").find(*stop) == npos;
}

// The '@' that ends the userinfo starting at `from`; npos: there is none. A password may hold any character
// when somebody forgot to encode it, so the last '@' counts, and a blank or quote ends the search only where
// what stands before it cannot be half a password.
std::size_t userinfo_end(std::string_view text, std::size_t from) {
    const auto reach = text.substr(from, reach_of(text, from) - from);
    const auto word = reach.substr(0, reach.find_first_of(" \t\v\f\"'`<>|"));
    const auto within = word.rfind('@');
    if (within != npos) return from + within;
    if (!may_hold_password(word)) return npos;
    const auto later = reach.rfind('@');
    return later == npos ? npos : from + later;
}

bool ends_with_word(std::string_view name, std::string_view word) {
    if (name.size() < word.size()) return false;
    const auto tail = name.substr(name.size() - word.size());
    return std::equal(tail.begin(), tail.end(), word.begin(),
                      [](char a, char b) { return (is_letter(a) ? static_cast<char>(a | 0x20) : a) == b; });
}

bool is_secret_name(std::string_view name) {
    constexpr std::array<std::string_view, 6> words{"password", "passwd", "pwd", "pass", "auth", "token"};
    return std::any_of(words.begin(), words.end(), [&](auto word) { return ends_with_word(name, word); });
}

// Past a value in quotes; a backslash takes the next character along, and so does a doubled quote.
std::size_t quoted_end(std::string_view text, std::size_t from) {
    const char quote = text[from];
    for (auto i = from + 1; i < text.size(); ++i) {
        if (text[i] == '\\') {
            ++i;
        } else if (text[i] == quote) {
            if (i + 1 == text.size() || text[i + 1] != quote) return i + 1;
            ++i;
        }
    }
    return text.size();
}

// Past an unquoted value: libpq's ends at a blank that no backslash escapes, a URL's also at '&' and '#'.
std::size_t unquoted_end(std::string_view text, std::size_t from, bool in_url) {
    auto i = from;
    for (; i < text.size() && !is_space(text[i]); ++i) {
        if (in_url && (text[i] == '&' || text[i] == '#' || text[i] == '"' || text[i] == '\'')) break;
        if (!in_url && text[i] == '\\' && i + 1 < text.size()) ++i;
    }
    return std::min(i, text.size());
}

struct span {
    std::size_t from, to;
};

// The secret value behind the '=' at `equals`; empty where the name before it is not a secret's.
span value_span(std::string_view text, std::size_t equals) {
    auto name_end = equals;
    while (name_end > 0 && (text[name_end - 1] == ' ' || text[name_end - 1] == '\t'))
        --name_end;
    auto name_start = name_end;
    while (name_start > 0 && in_name(text[name_start - 1]))
        --name_start;
    if (!is_secret_name(text.substr(name_start, name_end - name_start))) return {equals, equals};

    const bool in_url = name_start > 0 && (text[name_start - 1] == '?' || text[name_start - 1] == '&');
    auto from = equals + 1;
    while (!in_url && from < text.size() && is_space(text[from]))
        ++from;
    if (from == text.size()) return {from, from};
    if (!in_url && (text[from] == '\'' || text[from] == '"')) return {from, quoted_end(text, from)};
    return {from, unquoted_end(text, from, in_url)};
}

// What our own sentences write in their examples is no secret, and starred it would teach nothing.
bool is_placeholder(std::string_view userinfo) {
    return userinfo == "user:password" || userinfo == ":password";
}

void find_userinfo(std::string_view text, std::vector<span>& found) {
    for (auto at = text.find(scheme_end); at != npos; at = text.find(scheme_end, at + 1)) {
        const auto from = at + scheme_end.size();
        if (at == 0 || !in_scheme(text[at - 1])) continue;
        const auto end = userinfo_end(text, from);
        if (end == npos || end == from || is_placeholder(text.substr(from, end - from))) continue;
        found.push_back({from, end});
    }
}

void find_values(std::string_view text, std::vector<span>& found) {
    for (auto at = text.find('='); at != npos; at = text.find('=', at + 1)) {
        const auto value = value_span(text, at);
        if (value.from == value.to) continue;
        found.push_back(value);
        at = value.to - 1;
    }
}

}  // namespace

std::string redact(std::string_view text) {
    // Most texts hold neither, and this is asked for every line of the log.
    if (text.find('=') == npos && text.find(scheme_end) == npos) return std::string(text);
    // Both are found in the original: a password may look like a URL, and a URL like a name with a value.
    std::vector<span> found;
    find_userinfo(text, found);
    find_values(text, found);
    std::sort(found.begin(), found.end(), [](span a, span b) { return a.from < b.from; });

    std::string out;
    std::size_t copied = 0;
    for (const auto [from, to] : found) {
        if (to <= copied) continue;
        if (from >= copied) out.append(text.substr(copied, from - copied)).append(stars);
        copied = to;
    }
    return out.append(text.substr(copied));
}

}  // namespace postrider::core
