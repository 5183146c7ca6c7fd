#include "event/payload.hpp"

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

#include "event/time.hpp"

namespace {

using namespace postrider::event;

// The key under the pointer, or the word for the rejection.
std::string key_at(std::string_view pointer, std::string_view payload, std::size_t max_bytes = 1 << 20) {
    payload_reader reader;
    const auto key = reader.read_key(pointer, payload, max_bytes);
    return key ? *key : "!" + std::string(name(key.error()));
}

std::string key_of(std::string_view payload) {
    return key_at("/k", payload);
}

route chat() {
    route r;
    r.name = "bot_events";
    r.channel = "bot_events";
    r.key = "/match_id";
    r.id = "/id";
    r.time = "/created_at";
    return r;
}

std::string read_error(const route& r, std::string_view payload) {
    payload_reader reader;
    const auto e = reader.read(r, payload);
    return e ? "accepted" : std::string(name(e.error()));
}

}  // namespace

TEST_CASE("an envelope holds the key, the id and the time") {
    payload_reader reader;
    const auto e = reader.read(
        chat(), R"({"id":17,"match_id":"m1","created_at":"2026-11-21T03:02:11.5+00:00","text":"hi"})");
    REQUIRE(e.has_value());
    CHECK(e->key == "m1");
    CHECK(e->id == "17");
    REQUIRE(e->time);
    CHECK(format_time(*e->time) == "2026-11-21T03:02:11.500000+00:00");
}

TEST_CASE("without pointers for id and time both stay empty") {
    auto r = chat();
    r.id.clear();
    r.time.clear();
    payload_reader reader;
    const auto e = reader.read(r, R"({"match_id":1,"id":2,"created_at":3})");
    REQUIRE(e.has_value());
    CHECK(e->id.empty());
    CHECK_FALSE(e->time);
}

TEST_CASE("a missing or null time is no error, an unreadable one is") {
    CHECK(read_error(chat(), R"({"id":1,"match_id":"m"})") == "accepted");
    CHECK(read_error(chat(), R"({"id":1,"match_id":"m","created_at":null})") == "accepted");
    CHECK(read_error(chat(), R"({"id":1,"match_id":"m","created_at":"soon"})") == "bad_time");
    CHECK(read_error(chat(), R"({"id":1,"match_id":"m","created_at":1700000000})") == "bad_time");
}

TEST_CASE("an id that is missing or no name is turned away") {
    CHECK(read_error(chat(), R"({"match_id":"m"})") == "no_id");
    CHECK(read_error(chat(), R"({"match_id":"m","id":null})") == "no_id");
    CHECK(read_error(chat(), R"({"match_id":"m","id":""})") == "no_id");
    CHECK(read_error(chat(), R"({"match_id":"m","id":{}})") == "no_id");
}

TEST_CASE("strings and numbers are keys, numbers as they are written") {
    const std::vector<std::pair<std::string, std::string>> cases = {
        {R"("m1")", "m1"},
        {R"("6f9619ff-8b86-d011-b42d-00c04fc964ff")", "6f9619ff-8b86-d011-b42d-00c04fc964ff"},
        {"0", "0"},
        {"-0", "-0"},
        {"1.0", "1.0"},
        {"1.50e+3", "1.50e+3"},
        {"18446744073709551615", "18446744073709551615"},
        {"-9223372036854775808", "-9223372036854775808"},
        {"123456789012345678901234567890", "123456789012345678901234567890"},
        {"1e400", "1e400"},
        {R"("a\"b\\c\/d")", R"(a"b\c/d)"},
        {R"("\u0041\u00e9\u20AC\ud83d\ude00")", "A\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80"},
        {"\"\xC3\xA9\"", "\xC3\xA9"},
        {R"(" ")", " "},
    };
    for (const auto& each : cases) {
        const auto& written = each.first;
        const auto& key = each.second;
        CAPTURE(written);
        CHECK(key_of(R"({"k":)" + written + "}") == key);
        CHECK(key_of("{ \"k\" :\n" + written + " , \"x\":1}\r\n") == key);
        CHECK(key_at("", written) == key);
    }
}

TEST_CASE("what cannot be a key is turned away by its type") {
    for (const std::string written : {"true", "false", "null", "{}", "[1]", R"("")", R"("a\u0000b")",
                                      R"("a\nb")", R"("\t")", R"("\u001f")", R"("\u007f")"}) {
        CAPTURE(written);
        CHECK(key_of(R"({"k":)" + written + "}") == "!key_type");
    }
}

TEST_CASE("a key has at most 512 bytes") {
    const std::string longest(512, 'x');
    CHECK(key_of(R"({"k":")" + longest + R"("})") == longest);
    CHECK(key_of(R"({"k":")" + longest + R"(x"})") == "!key_type");
    CHECK(key_of(R"({"k":)" + std::string(513, '1') + "}") == "!key_type");
}

TEST_CASE("payloads of every length around the padding and the page are read within their bounds") {
    payload_reader reader;
    const auto check = [&reader](std::size_t length) {
        const std::string frame = R"({"k":"m","x":""})";
        const auto text =
            frame.substr(0, frame.size() - 2) + std::string(length - frame.size(), 'y') + R"("})";
        const std::vector<char> exact(text.begin(), text.end());  // the sanitizer sees each byte behind it
        const std::string_view payload(exact.data(), exact.size());
        const auto key = reader.read_key("/k", payload, 1 << 20);
        REQUIRE(key.has_value());
        REQUIRE(*key == "m");
        REQUIRE_FALSE(reader.read_key("/k", payload.substr(0, length - 1), 1 << 20).has_value());
        REQUIRE_FALSE(reader.read_key("/k", payload.substr(0, length - 2), 1 << 20).has_value());
    };
    for (std::size_t length = 16; length < 300; ++length)
        check(length);
    for (std::size_t length = 4'096 - 70; length < 4'096 + 70; ++length)
        check(length);
    for (std::size_t length = 65'536 - 3; length < 65'536 + 3; ++length)
        check(length);
}

TEST_CASE("a payload may have as many bytes as the route allows and not one more") {
    const std::string payload = R"({"k":1})";
    CHECK(key_at("/k", payload, payload.size()) == "1");
    CHECK(key_at("/k", payload, payload.size() - 1) == "!too_large");
    auto r = chat();
    r.max_payload_bytes = 6;
    CHECK(read_error(r, payload) == "too_large");
}

TEST_CASE("a large payload is read, and a small one after it") {
    payload_reader reader;
    const auto large = R"({"x":")" + std::string(1'000'000, 'x') + R"(","k":"end"})";
    for (int i = 0; i < 3; ++i) {
        CHECK(*reader.read_key("/k", large, 2'000'000) == "end");
        CHECK(*reader.read_key("/k", R"({"k":"small"})", 100) == "small");
        CHECK_FALSE(reader.read_key("/k", R"({"k":"small")", 100).has_value());
    }
}

TEST_CASE("a raw value is the payload's own bytes, null where there is none") {
    payload_reader reader;
    const std::string_view payload =
        R"( { "s" : "a\u0041\/" , "n":1.50 ,"o": { "x" : [ 1 , 2 ] } ,"l":null,"t":true})";
    CHECK(reader.raw_value(payload, "/s") == R"("a\u0041\/")");
    CHECK(reader.raw_value(payload, "/n") == "1.50");
    CHECK(reader.raw_value(payload, "/o") == R"({ "x" : [ 1 , 2 ] })");
    CHECK(reader.raw_value(payload, "/o/x/1") == "2");
    CHECK(reader.raw_value(payload, "/l") == "null");
    CHECK(reader.raw_value(payload, "/t") == "true");
    CHECK(reader.raw_value(payload, "/none") == "null");
    CHECK(reader.raw_value("  7 ", "") == "7");
}

TEST_CASE("a reader can be moved") {
    payload_reader first;
    payload_reader second(std::move(first));
    CHECK(*second.read_key("/k", R"({"k":1})", 100) == "1");
    first = std::move(second);
    CHECK(*first.read_key("/k", R"({"k":2})", 100) == "2");
}

TEST_CASE("each rejection has a label and a sentence that names the route and the remedy") {
    const auto r = chat();
    CHECK(explain(rejection::no_key, r) ==
          "route bot_events, channel bot_events: the payload has no key at /match_id; send it, or point the "
          "route's "
          "key at the right member");
    for (const auto reason : {rejection::too_large, rejection::not_json, rejection::no_key,
                              rejection::key_type, rejection::no_id, rejection::bad_time}) {
        CHECK(explain(reason, r).find("route bot_events, channel bot_events: ") == 0);
        CHECK(explain(reason, r).find(';') != std::string::npos);
        CHECK(name(reason) != "unknown");
    }
    CHECK(explain(rejection::too_large, r).find("1048576") != std::string::npos);
    CHECK(explain(rejection::bad_time, r).find("/created_at") != std::string::npos);
}
