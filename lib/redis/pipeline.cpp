#include "redis/pipeline.hpp"

#include <array>
#include <charconv>

namespace postrider::redis {
namespace {

constexpr std::size_t longest_header = 26;  // type, 20 digits, CRLF, and the CRLF behind a bulk string

// A type byte, a decimal number and CRLF: how RESP opens an array ('*') and a bulk string ('$').
void append_header(std::string& to, char type, std::size_t number) {
    std::array<char, 24> text{};
    text[0] = type;
    char* end = std::to_chars(text.data() + 1, text.data() + text.size() - 2, number).ptr;
    *end++ = '\r';
    *end++ = '\n';
    to.append(text.data(), end);
}

}  // namespace

void pipeline::add(std::span<const std::string_view> words) {
    encode(words);
    commands_.push_back({bytes_.size(), destination_of(words), false});
}

void pipeline::add(std::initializer_list<std::string_view> words) {
    add(std::span<const std::string_view>(words.begin(), words.size()));
}

void pipeline::add_behind(std::initializer_list<std::string_view> words) {
    encode(std::span<const std::string_view>(words.begin(), words.size()));
    commands_.push_back({bytes_.size(), destination{}, true});
}

void pipeline::add_encoded(std::string_view bytes) {
    bytes_.append(bytes);
    commands_.push_back({bytes_.size(), destination{}, false});
}

std::string_view pipeline::encoded(std::size_t n) const {
    const std::size_t begin = n == 0 ? 0 : commands_[n - 1].end;
    return std::string_view(bytes_).substr(begin, commands_[n].end - begin);
}

void pipeline::encode(std::span<const std::string_view> words) {
    // One growth for a whole batch and for what comes behind it: a megabyte built by doubling would be copied
    // several times.
    std::size_t needed = bytes_.size() + longest_header;
    for (const std::string_view word : words)
        needed += word.size() + longest_header;
    if (needed > 2 * bytes_.capacity()) bytes_.reserve(needed + needed / 4);

    append_header(bytes_, '*', words.size());
    for (const std::string_view word : words) {
        append_header(bytes_, '$', word.size());
        bytes_.append(word);
        bytes_.append("\r\n", 2);
    }
}

}  // namespace postrider::redis
