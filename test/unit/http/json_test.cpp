#include "http/json.hpp"

#include <doctest/doctest.h>

#include <limits>

using postrider::http::json_writer;

namespace {
std::string quoted(std::string_view text) {
    return json_writer().string(text).take();
}
std::string written(double value, int decimals = 3) {
    return json_writer().number(value, decimals).take();
}
}  // namespace

TEST_CASE("members and elements are separated by commas, nested ones too") {
    json_writer json;
    json.object().key("a").integer(-1).key("b").array().count(2).object().end_object().null().end_array();
    json.key("c")
        .boolean(true)
        .key("d")
        .object()
        .key("e")
        .string("x")
        .end_object()
        .key("f")
        .array()
        .end_array();
    CHECK(json.end_object().take() == R"({"a":-1,"b":[2,{},null],"c":true,"d":{"e":"x"},"f":[]})");
}

TEST_CASE("quotes, backslashes and control characters are escaped") {
    CHECK(quoted("a\"b\\c\n\r\t") == R"("a\"b\\c\n\r\t")");
    CHECK(quoted(std::string_view("\0\x01\x1f\x7f", 4)) == R"("\u0000\u0001\u001f\u007f")");
    CHECK(json_writer().object().key("k\"").null().end_object().take() == R"({"k\"":null})");
}

TEST_CASE("UTF-8 passes as it is") {
    CHECK(quoted("gr\xC3\xBC\xC3\x9F \xE2\x82\xAC \xF0\x9F\x98\x80") ==
          "\"gr\xC3\xBC\xC3\x9F \xE2\x82\xAC \xF0\x9F\x98\x80\"");
}

TEST_CASE("what is not UTF-8 becomes a replacement character, byte by byte") {
    const std::string replacement = "\xEF\xBF\xBD";
    CHECK(quoted("gr\xFC\xDF!") == "\"gr" + replacement + replacement + "!\"");
    CHECK(quoted("\xE2\x82") == "\"" + replacement + replacement + "\"");
    CHECK(quoted("\xC0\xAF") == "\"" + replacement + replacement + "\"");
    CHECK(quoted("\xED\xA0\x80") == "\"" + replacement + replacement + replacement + "\"");
    CHECK(quoted("\xF4\x90\x80\x80").size() == 2 + 4 * replacement.size());
    CHECK(quoted("\xF0\x8F\x80\x80").size() == 2 + 4 * replacement.size());
}

TEST_CASE("numbers are rounded and carry no needless zeros") {
    CHECK(written(1.23456) == "1.235");
    CHECK(written(2) == "2");
    CHECK(written(100) == "100");
    CHECK(written(0.5) == "0.5");
    CHECK(written(-0.0001) == "0");
    CHECK(written(0.98765, 4) == "0.9877");
    CHECK(written(10, 0) == "10");
}

TEST_CASE("a number that JSON does not have is null, and the largest fits") {
    CHECK(written(std::numeric_limits<double>::infinity()) == "null");
    CHECK(written(std::numeric_limits<double>::quiet_NaN()) == "null");
    CHECK(written(std::numeric_limits<double>::max()).size() == 309);
}

TEST_CASE("the ends of the integers are whole") {
    CHECK(json_writer().count(std::numeric_limits<std::uint64_t>::max()).take() == "18446744073709551615");
    CHECK(json_writer().integer(std::numeric_limits<std::int64_t>::min()).take() == "-9223372036854775808");
}
