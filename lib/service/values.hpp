#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.hpp"
#include "core/duration.hpp"
#include "core/error.hpp"

namespace postrider::service {

// Readers of single values. Each error is words to follow the value ("not a port; write …"), with
// invalid_input.

// true, 1, yes, on, or false, 0, no, off; letter case apart.
core::result<bool> read_switch(std::string_view text);

// A decimal number within [0, 1].
core::result<double> read_probability(std::string_view text);

// A decimal whole number within [least, most].
core::result<std::uint64_t> read_count(std::string_view text, std::uint64_t least, std::uint64_t most);

// [0, 65535]; 0 asks the system for any free port.
core::result<std::uint16_t> read_port(std::string_view text);

// A duration above zero; see core::parse_duration.
core::result<core::milliseconds> read_wait(std::string_view text,
                                           core::milliseconds bare = core::milliseconds{1'000});

// The index of one of the words, letter case apart.
core::result<std::size_t> read_word(std::string_view text, std::span<const std::string_view> words);

// A JSON pointer (RFC 6901) to something inside a document, so not the empty one.
core::result<std::string> read_pointer(std::string_view text);

// Words separated by commas, blanks around them taken off, empty ones and repetitions left out.
std::vector<std::string> read_list(std::string_view text);

// The text in double quotes for a message: on one line, and cut after 100 bytes.
std::string in_quotes(std::string_view text);

// "; did you mean 'x'?" where one of the known words is near, otherwise nothing.
std::string suggestion(std::string_view word, std::span<const std::string_view> known);

// "a, b, c".
std::string joined(std::span<const std::string_view> words);

// Puts what was read where it belongs; the words of the error otherwise, empty where there is none.
template <class Read, class Place>
std::string store(core::result<Read> read, Place& place) {
    if (!read) return read.error().message;
    place = static_cast<Place>(std::move(*read));
    return {};
}

// The same for one of the words of an enumeration, given in the order of its values.
template <class Enum, std::size_t N>
std::string store_word(std::string_view text, const std::array<std::string_view, N>& words, Enum& place) {
    return store(read_word(text, words), place);
}

}  // namespace postrider::service
