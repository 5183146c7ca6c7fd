#include "redis/glob.hpp"

#include <doctest/doctest.h>

#include <string>

using postrider::redis::matches_glob;

TEST_CASE("patterns match as Redis reads them") {
    struct sample {
        const char* pattern;
        const char* text;
        bool matches;
    };
    const sample samples[] = {
        {"", "", true},
        {"", "a", false},
        {"*", "", true},
        {"*", "abc", true},
        {"a*", "abc", true},
        {"*c", "abc", true},
        {"a*c", "abbc", true},
        {"a*c", "ab", false},
        {"a**c", "ac", true},
        {"*a*b*", "xxaxxbxx", true},
        {"*ab", "aab", true},
        {"?", "", false},
        {"?", "a", true},
        {"h?llo", "hello", true},
        {"h?llo", "hllo", false},
        {"h[ae]llo", "hallo", true},
        {"h[ae]llo", "hillo", false},
        {"h[^e]llo", "hallo", true},
        {"h[^e]llo", "hello", false},
        {"[a-c]x", "bx", true},
        {"[c-a]x", "bx", true},
        {"[a-c]x", "dx", false},
        {"\\*", "*", true},
        {"\\*", "a", false},
        {"a\\?b", "a?b", true},
        {"[\\]]", "]", true},
        {"[ab", "a", true},
        {"[ab", "c", false},
        {"a\\", "a\\", true},
        {"context:*", "context:k", true},
        {"context:*", "contexts", false},
        {"*[0-9]", "k7", true},
        {"*[0-9]", "k", false},
    };
    for (const auto& s : samples) {
        CAPTURE(s.pattern);
        CAPTURE(s.text);
        CHECK(matches_glob(s.pattern, s.text) == s.matches);
    }
}

TEST_CASE("many stars take no time") {
    std::string pattern;
    for (int i = 0; i < 50; ++i)
        pattern += "*a";
    CHECK(!matches_glob(pattern + "b", std::string(20'000, 'a')));
}
