#include "service/values.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <system_error>

#include "core/nearest.hpp"
#include "core/printable.hpp"

namespace postrider::service {

namespace {

std::string lower(std::string_view text) {
    std::string out(text);
    for (char& c : out) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    return out;
}

template <class Number>
std::optional<Number> number(std::string_view text) {
    Number n{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return n;
}

}  // namespace

core::result<bool> read_switch(std::string_view text) {
    const auto word = lower(text);
    if (word == "true" || word == "1" || word == "yes" || word == "on") return true;
    if (word == "false" || word == "0" || word == "no" || word == "off") return false;
    return core::invalid_input("neither true nor false; write one of the two");
}

core::result<double> read_probability(std::string_view text) {
    const auto n = number<double>(text);
    // The comparison is this way round so that NaN fails it.
    if (!n || !(*n >= 0 && *n <= 1))
        return core::invalid_input("not a probability; write a number from 0 to 1, for example 0.5");
    return *n;
}

core::result<std::uint64_t> read_count(std::string_view text, std::uint64_t least, std::uint64_t most) {
    const auto n = number<std::uint64_t>(text);
    if (!n || *n < least || *n > most) {
        return core::invalid_input(fmt::format("not a whole number from {} to {}", least, most));
    }
    return *n;
}

core::result<std::uint16_t> read_port(std::string_view text) {
    const auto n = number<std::uint16_t>(text);
    if (!n) return core::invalid_input("not a port; write a number from 0 to 65535");
    return *n;
}

core::result<core::milliseconds> read_wait(std::string_view text, core::milliseconds bare) {
    auto read = core::parse_duration(text, bare);
    if (read && read->count() == 0) return core::invalid_input("must be longer than 0");
    return read;
}

core::result<std::size_t> read_word(std::string_view text, std::span<const std::string_view> words) {
    const auto found = std::find(words.begin(), words.end(), lower(text));
    if (found != words.end()) return static_cast<std::size_t>(found - words.begin());
    return core::invalid_input("not one of " + joined(words) + suggestion(text, words));
}

core::result<std::string> read_pointer(std::string_view text) {
    if (!text.starts_with('/'))
        return core::invalid_input("not a JSON pointer; write for example /match_id or /user/id");
    for (std::size_t at = text.find('~'); at != std::string_view::npos; at = text.find('~', at + 1)) {
        if (at + 1 == text.size() || (text[at + 1] != '0' && text[at + 1] != '1')) {
            return core::invalid_input("not a JSON pointer; write ~0 for '~' and ~1 for '/' inside a name");
        }
    }
    return std::string(text);
}

std::vector<std::string> read_list(std::string_view text) {
    std::vector<std::string> out;
    while (!text.empty()) {
        auto word = text.substr(0, text.find(','));
        text.remove_prefix(std::min(word.size() + 1, text.size()));
        const auto first = word.find_first_not_of(" \t");
        if (first == std::string_view::npos) continue;
        word = word.substr(first, word.find_last_not_of(" \t") - first + 1);
        if (std::find(out.begin(), out.end(), word) == out.end()) out.emplace_back(word);
    }
    return out;
}

std::string in_quotes(std::string_view text) {
    constexpr std::size_t longest = 100;
    return fmt::format("\"{}{}\"", core::one_line(text.substr(0, longest)), text.size() > longest ? "…" : "");
}

std::string suggestion(std::string_view word, std::span<const std::string_view> known) {
    const auto meant = core::nearest(word, known);
    return meant ? fmt::format("; did you mean '{}'?", *meant) : std::string();
}

std::string joined(std::span<const std::string_view> words) {
    return fmt::format("{}", fmt::join(words, ", "));
}

}  // namespace postrider::service
