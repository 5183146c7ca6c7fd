#include "redis/glob.hpp"

#include <algorithm>
#include <cstddef>

namespace postrider::redis {
namespace {

// How much of the pattern one byte needs, and whether it fits: an unclosed bracket ends with the pattern.
struct fit {
    std::size_t used = 0;
    bool fits = false;
};

fit fit_class(std::string_view pattern, char c) {
    std::size_t at = 1;
    const bool inverted = pattern.size() > at && pattern[at] == '^';
    if (inverted) ++at;
    bool found = false;
    while (at < pattern.size() && pattern[at] != ']') {
        if (pattern[at] == '\\' && at + 1 < pattern.size()) {
            found = found || pattern[at + 1] == c;
            at += 2;
        } else if (at + 2 < pattern.size() && pattern[at + 1] == '-') {
            const auto [low, high] = std::minmax(
                {static_cast<unsigned char>(pattern[at]), static_cast<unsigned char>(pattern[at + 2])});
            const auto byte = static_cast<unsigned char>(c);
            found = found || (byte >= low && byte <= high);
            at += 3;
        } else {
            found = found || pattern[at] == c;
            ++at;
        }
    }
    return {std::min(at + 1, pattern.size()), found != inverted};
}

fit fit_one(std::string_view pattern, char c) {
    switch (pattern.front()) {
        case '?':
            return {1, true};
        case '[':
            return fit_class(pattern, c);
        case '\\':
            if (pattern.size() > 1) return {2, pattern[1] == c};
            break;
        default:
            break;
    }
    return {1, pattern.front() == c};
}

}  // namespace

// On a mismatch the last star takes one byte more; earlier stars need never be looked at again.
bool matches_glob(std::string_view pattern, std::string_view text) {
    std::size_t p = 0;
    std::size_t t = 0;
    std::size_t after_star = std::string_view::npos;
    std::size_t retry = 0;
    while (t < text.size()) {
        if (p < pattern.size() && pattern[p] == '*') {
            after_star = ++p;
            retry = t;
            continue;
        }
        const auto one = p < pattern.size() ? fit_one(pattern.substr(p), text[t]) : fit{};
        if (one.fits) {
            p += one.used;
            ++t;
        } else if (after_star != std::string_view::npos) {
            p = after_star;
            t = ++retry;
        } else {
            return false;
        }
    }
    return pattern.find_first_not_of('*', p) == std::string_view::npos;
}

}  // namespace postrider::redis
