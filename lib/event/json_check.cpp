#include "event/json_check.hpp"

#include <algorithm>
#include <cstring>

#include "core/ascii.hpp"

namespace postrider::event {

namespace {

// Room for one large text is given back; its parser takes about ten times the text.
constexpr std::size_t kept_bytes = 64 * 1024;

bool in_number(char c) {
    return core::is_digit(c) || c == '-' || c == '+' || c == '.' || c == 'e' || c == 'E';
}

char* skip_digits(char* at, const char* end) {
    while (at != end && core::is_digit(*at))
        ++at;
    return at;
}

// RFC 8259, section 6.
bool is_number(char* at, const char* end) {
    if (at != end && *at == '-') ++at;
    char* const whole = at;
    at = skip_digits(at, end);
    if (at == whole || (*whole == '0' && at - whole > 1)) return false;
    if (at != end && *at == '.') {
        char* const fraction = ++at;
        at = skip_digits(at, end);
        if (at == fraction) return false;
    }
    if (at != end && (*at == 'e' || *at == 'E')) {
        ++at;
        if (at != end && (*at == '+' || *at == '-')) ++at;
        char* const exponent = at;
        at = skip_digits(at, end);
        if (at == exponent) return false;
    }
    return at == end;
}

// Puts a nought and blanks in place of each number; the text is JSON afterwards exactly if it was before.
void replace_numbers(char* at, char* const end) {
    bool in_string = false;
    while (at != end) {
        if (in_string || !in_number(*at) || *at == 'e' || *at == 'E') {
            if (*at == '"') in_string = !in_string;
            if (in_string && *at == '\\' && at + 1 != end) ++at;
            ++at;
            continue;
        }
        char* const number_end = std::find_if_not(at, end, in_number);
        if (is_number(at, number_end)) {
            *at = '0';
            std::fill(at + 1, number_end, ' ');
        }
        at = number_end;
    }
}

}  // namespace

bool json_check::valid(std::string_view text) {
    // Newer parsers skip a byte order mark, but in the middle of a list it is an error for every reader.
    if (text.empty() || text.starts_with("\xEF\xBB\xBF")) return false;
    const auto padded = text.size() + simdjson::SIMDJSON_PADDING;
    if (buffer_.size() < padded) buffer_.resize(padded);
    std::memcpy(buffer_.data(), text.data(), text.size());
    bool accepted = parser_.parse(buffer_.data(), text.size(), false).error() == simdjson::SUCCESS;
    if (!accepted) {
        // simdjson turns away numbers beyond 64 bits or a double's range, which JSON allows.
        replace_numbers(buffer_.data(), buffer_.data() + text.size());
        accepted = parser_.parse(buffer_.data(), text.size(), false).error() == simdjson::SUCCESS;
    }
    if (text.size() > kept_bytes) keep_small();
    return accepted;
}

void json_check::keep_small() {
    parser_ = simdjson::dom::parser();
    buffer_ = std::vector<char>();
}

}  // namespace postrider::event
