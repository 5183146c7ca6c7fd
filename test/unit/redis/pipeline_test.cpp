#include "redis/pipeline.hpp"

#include <doctest/doctest.h>
#include <hiredis/hiredis.h>

#include <string>
#include <vector>

using namespace std::string_view_literals;
using postrider::redis::pipeline;

namespace {

// The same command as hiredis writes it.
std::string by_hiredis(const std::vector<std::string_view>& words) {
    std::vector<const char*> starts;
    std::vector<std::size_t> sizes;
    for (const auto word : words) {
        starts.push_back(word.data());
        sizes.push_back(word.size());
    }
    char* text = nullptr;
    const int size =
        redisFormatCommandArgv(&text, static_cast<int>(words.size()), starts.data(), sizes.data());
    std::string bytes(text, static_cast<std::size_t>(size));
    redisFreeCommand(text);
    return bytes;
}

}  // namespace

TEST_CASE("a command is an array of bulk strings") {
    pipeline p;
    CHECK(p.empty());
    p.add({"RPUSH", "bot_messages", "{}"});
    CHECK(p.bytes() == "*3\r\n$5\r\nRPUSH\r\n$12\r\nbot_messages\r\n$2\r\n{}\r\n");
    CHECK(p.size() == 1);
    CHECK_FALSE(p.empty());
}

TEST_CASE("words may be empty and hold any byte") {
    pipeline p;
    p.add({"SET", "a\0b\r\n"sv, ""});
    CHECK(p.bytes() == "*3\r\n$3\r\nSET\r\n$5\r\na\0b\r\n\r\n$0\r\n\r\n"sv);
}

TEST_CASE("commands stand one behind the other, and each counts") {
    pipeline p;
    p.add({"PING"});
    p.add({"ECHO", "x"});
    CHECK(p.size() == 2);
    CHECK(p.bytes() == "*1\r\n$4\r\nPING\r\n*2\r\n$4\r\nECHO\r\n$1\r\nx\r\n");
}

TEST_CASE("every length is written as hiredis writes it") {
    std::vector<std::string> texts;
    for (std::size_t size : {0U, 1U, 9U, 10U, 99U, 100U, 999U, 1000U, 65536U, 1U << 20U})
        texts.emplace_back(size, 'x');
    pipeline p;
    std::string expected;
    std::vector<std::string_view> words;
    for (const auto& text : texts) {
        words.emplace_back(text);
        p.add(words);
        expected += by_hiredis(words);
    }
    CHECK(p.bytes() == expected);
    CHECK(p.size() == texts.size());
}
