#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "event/payload.hpp"

namespace {

using namespace postrider::event;

// The key under the pointer, or the word for the rejection.
std::string key_at(std::string_view pointer, std::string_view payload) {
    payload_reader reader;
    const auto key = reader.read_key(pointer, payload, 1 << 20);
    return key ? *key : "!" + std::string(name(key.error()));
}

std::string key_of(std::string_view payload) {
    return key_at("/k", payload);
}

std::string nested(std::size_t depth) {
    return std::string(depth, '[') + std::string(depth, ']');
}

}  // namespace

TEST_CASE("a pointer finds members and elements at any depth") {
    const std::string_view payload =
        R"({"a":{"b":[10,{"c":"deep"},[]],"a":2},"":"empty","x/y":"slash","x~y":"tilde",)"
        R"("\u006b":"escaped","~1":"both","dup":"first","dup":"second","q\"":"quote"})";
    CHECK(key_at("/a/b/0", payload) == "10");
    CHECK(key_at("/a/b/1/c", payload) == "deep");
    CHECK(key_at("/a/a", payload) == "2");
    CHECK(key_at("/", payload) == "empty");
    CHECK(key_at("/x~1y", payload) == "slash");
    CHECK(key_at("/x~0y", payload) == "tilde");
    CHECK(key_at("/~01", payload) == "both");
    CHECK(key_at("/k", payload) == "escaped");
    CHECK(key_at("/dup", payload) == "first");
    CHECK(key_at("/q\"", payload) == "quote");
}

TEST_CASE("a pointer to nothing finds no key") {
    const std::string_view payload = R"({"a":{"b":[10,11]},"e":[],"o":{},"s":"text","n":{"z":"hidden"}})";
    for (const std::string_view pointer :
         {"/b", "/a/b/2", "/a/b/-", "/a/b/00", "/a/b/01", "/a/b/+1", "/a/b/", "/a/b/1x", "/e/0", "/o/x",
          "/s/0", "/z", "/a/c", "/A", "a", "/a/b/99999999999999999999", "/~2", "/~", "/a~"}) {
        CAPTURE(pointer);
        CHECK(key_at(pointer, payload) == "!no_key");
    }
}

TEST_CASE("what looks like the member inside a string or a nested value is not it") {
    CHECK(key_of(R"({"x":"\"k\":1,","y":{"k":2},"z":[{"k":3}],"k":4})") == "4");
    CHECK(key_of(R"({"x":"ends in backslashes\\\\","k":5})") == "5");
    CHECK(key_of(R"({"x":["]","}","\"]"],"k":6})") == "6");
    CHECK(key_of(R"({"v":"k"})") == "!no_key");
}

TEST_CASE("everything but one JSON value in UTF-8 is turned away") {
    const std::vector<std::string> broken = {
        "",
        " ",
        "{",
        R"({"k":1)",
        R"({"k":1}x)",
        R"({"k":1}{"k":2})",
        R"({"k":1},)",
        R"({"k":1,})",
        R"({"k":1]})",
        R"({"k" 1})",
        R"({k:1})",
        R"({'k':1})",
        R"({"k":01})",
        R"({"k":1.})",
        R"({"k":.5})",
        R"({"k":+1})",
        R"({"k":1e})",
        R"({"k":-})",
        R"({"k":0x10})",
        R"({"k":NaN})",
        R"({"k":nul})",
        R"({"k":tru1})",
        R"({"k":1 2})",
        R"({"k":12345678901234567890123 4})",
        R"({"k":1e400x})",
        R"({"k":"a)",
        R"({"k":"\x"})",
        R"({"k":"\u12"})",
        R"({"k":"\ud800"})",
        "{\"k\":\"a\nb\"}",
        "{\"k\":\"a\tb\"}",
        std::string("{\"k\":\"a\0b\"}", 11),
        std::string("{\"k\":1}\0", 8),
        "{\"k\":\"\xFF\"}",
        "{\"k\":\"\xC3\"}",
        "{\"k\":\"\xC0\x80\"}",
        "{\"k\":\"\xED\xA0\x80\"}",
        "\xEF\xBB\xBF{\"k\":1}",
        "hello",
        "// c\n{\"k\":1}",
    };
    for (const auto& payload : broken) {
        CAPTURE(payload);
        CHECK(key_of(payload) == "!not_json");
        CHECK(key_of("[" + payload + "]") != "1");
    }
}

TEST_CASE("a number that simdjson cannot hold does not hide an error elsewhere") {
    CHECK(key_of(R"({"k":"m","price":123456789012345678901234567890.5,"x":1e999,"y":-1E-999})") == "m");
    CHECK(key_of(R"({"k":"m","s":"1e999 is \" -12345678901234567890123","x":1e999})") == "m");
    for (const std::string tail : {"01", "1.", "1e", "--1", "1-2", "1.2.3", "e5", "0x1", "1_0", "\"\\q\""}) {
        CAPTURE(tail);
        CHECK(key_of(R"({"k":"m","price":1e999,"x":)" + tail + "}") == "!not_json");
    }
}

TEST_CASE("nesting is bounded") {
    CHECK(key_of(R"({"k":1,"x":)" + nested(500) + "}") == "1");
    CHECK(key_of(R"({"k":1,"x":)" + nested(5'000) + "}") == "!not_json");
    CHECK(key_of(R"({"k":1,"x":)" + std::string(200'000, '[') + "}") == "!not_json");
    CHECK(key_of(nested(500)) == "!no_key");
}

TEST_CASE("values cut off anywhere are read within their bounds") {
    const std::string text = R"( {"a\u0041":["x\\",{"k":-1.5e3}],"k":{"k":[true,null,"\ud83d\ude00"]}} )";
    payload_reader reader;
    for (std::size_t length = 0; length <= text.size(); ++length) {
        const std::vector<char> exact(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(length));
        const std::string_view payload(exact.data(), exact.size());
        for (const auto* pointer : {"", "/aA/1/k", "/k/k/2", "/k/x", "/aA/7"})
            reader.raw_value(payload, pointer);
    }
    CHECK(reader.raw_value(text, "/aA/1/k") == "-1.5e3");
}
