#include "core/log_event.hpp"

#include <spdlog/details/log_msg.h>
#include <spdlog/spdlog.h>

#include <algorithm>

#include "core/ascii.hpp"
#include "core/printable.hpp"
#include "core/redact.hpp"

namespace postrider::core {

namespace {

constexpr std::size_t most_shown = 200;
constexpr std::string_view payload_mark = " payload=";

// Where a line's source would stand. Its address, which no text can forge, says that fields follow the
// sentence.
constexpr char has_fields[] = "fields";

bool in_bare_word(char c) {
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           std::string_view("_-.:/@{}").find(c) != std::string_view::npos;
}

// Bare digits are a number, so a text of digits stands in quotes.
bool is_bare_word(std::string_view text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), in_bare_word) &&
           !std::all_of(text.begin(), text.end(), is_digit);
}

// First redacted: a connection string without its end would show half of its password.
std::string shown_of(std::string_view value) {
    auto shown = redact(value);
    if (shown.size() > most_shown) shown.resize(most_shown);
    return shown;
}

void append_field(std::string& to, const log_field& f) {
    if (const auto* number = std::get_if<std::uint64_t>(&f.value)) {
        to.append(1, ' ').append(f.name).append(1, '=').append(std::to_string(*number));
        return;
    }
    if (std::get<std::string_view>(f.value).empty()) return;
    const auto shown = shown_of(std::get<std::string_view>(f.value));
    to.append(1, ' ').append(f.name).append(1, '=').append(is_bare_word(shown) ? shown : json_string(shown));
}

// Where the value that begins at `from` ends.
std::size_t value_end(std::string_view fields, std::size_t from) {
    if (from >= fields.size() || fields[from] != '"') return std::min(fields.find(' ', from), fields.size());
    auto i = from + 1;
    while (i < fields.size() && fields[i] != '"')
        i += fields[i] == '\\' ? 2 : 1;
    return std::min(i + 1, fields.size());
}

// The payload is the last, and not quoted, so it is found by walking over the values before it.
std::size_t payload_start(std::string_view fields) {
    std::size_t at = 0;
    while (at < fields.size() && !fields.substr(at).starts_with(payload_mark))
        at = value_end(fields, std::min(fields.find('=', at), fields.size() - 1) + 1);
    return at;
}

}  // namespace

bool shows(spdlog::level::level_enum level) {
    return spdlog::default_logger_raw()->should_log(level);
}

void log_event(spdlog::level::level_enum level, std::string_view sentence,
               std::initializer_list<log_field> fields, std::string_view payload) {
    if (!shows(level)) return;
    std::string line(sentence);
    for (const auto& f : fields)
        append_field(line, f);
    if (!payload.empty()) line.append(payload_mark).append(shown_of(payload));
    spdlog::default_logger_raw()->log(fields_behind(sentence.size()), level,
                                      spdlog::string_view_t(line.data(), line.size()));
}

spdlog::source_loc fields_behind(std::size_t sentence) {
    return {has_fields, static_cast<int>(sentence), ""};
}

log_parts parts_of(const spdlog::details::log_msg& line) {
    const std::string_view all(line.payload.data(), line.payload.size());
    log_parts p;
    p.sentence = all;
    if (line.source.filename != has_fields) return p;
    const auto behind = std::min(static_cast<std::size_t>(line.source.line), all.size());
    p.sentence = all.substr(0, behind);
    p.fields = all.substr(behind);
    const auto at = payload_start(p.fields);
    if (at < p.fields.size()) p.payload = p.fields.substr(at + payload_mark.size());
    p.fields = p.fields.substr(0, at);
    return p;
}

void append_members(std::string& to, std::string_view fields) {
    for (std::size_t at = 0; at < fields.size();) {
        const auto equals = std::min(fields.find('=', at), fields.size() - 1);
        const auto end = value_end(fields, equals + 1);
        const auto name = fields.substr(at + 1, equals - at - 1);
        const auto value = fields.substr(equals + 1, end - equals - 1);
        to.append(",\"").append(name).append("\":");
        const bool is_json =
            value.starts_with('"') || (!value.empty() && std::all_of(value.begin(), value.end(), is_digit));
        to.append(is_json ? std::string(value) : json_string(value));
        at = end;
    }
}

}  // namespace postrider::core
