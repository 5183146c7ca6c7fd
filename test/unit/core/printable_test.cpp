#include "core/printable.hpp"

#include <doctest/doctest.h>

using postrider::core::json_string;
using postrider::core::one_line;
using namespace std::string_literals;

TEST_CASE("a JSON string escapes what JSON forbids, and nothing else") {
    CHECK(json_string("plain") == R"("plain")");
    CHECK(json_string(R"(say "hi" \ now)") == R"("say \"hi\" \\ now")");
    CHECK(json_string("a\nb\rc\td") == R"("a\nb\rc\td")");
    CHECK(json_string("\0\x01\x1f\x7f"s) == R"("\u0000\u0001\u001f\u007f")");
    CHECK(json_string("gr\xC3\xBC\xC3\x9F \xF0\x9F\x90\x98 </b>") ==
          "\"gr\xC3\xBC\xC3\x9F \xF0\x9F\x90\x98 </b>\"");
}

TEST_CASE("a line holds no line end and no control character") {
    CHECK(one_line("a\nb\r\n\tc\x1b[31m") == R"(a\nb\r\n\tc\x1b[31m)");
    CHECK(one_line(R"(say "hi" \n)") == R"(say "hi" \n)");
    CHECK(one_line("\xE2\x82\xAC 5") == "\xE2\x82\xAC 5");
}

TEST_CASE("each maximal part that is not UTF-8 becomes one replacement character") {
    const std::string r = "\xEF\xBF\xBD";
    CHECK(one_line("a\xFFz") == "a" + r + "z");
    CHECK(one_line("\xC3") == r);
    CHECK(one_line("\xC3(") == r + "(");
    CHECK(one_line("\xE2\x82") == r);
    CHECK(one_line("\xE2\x82z") == r + "z");
    CHECK(one_line("\xF0\x9F\x90") == r);
    CHECK(one_line("\xC0\xAF") == r + r);
    CHECK(one_line("\xE0\x80\xAF") == r + r + r);
    CHECK(one_line("\xED\xA0\x80") == r + r + r);
    CHECK(one_line("\xF4\x90\x80\x80") == r + r + r + r);
    CHECK(one_line("\xF5\x80") == r + r);
    CHECK(json_string("\x80\"") == "\"" + r + "\\\"\"");
}
