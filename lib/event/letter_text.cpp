#include "event/letter_text.hpp"

#include <charconv>
#include <optional>
#include <utility>

#include "event/json_check.hpp"
#include "event/json_text.hpp"
#include "event/time.hpp"

namespace postrider::event {
namespace {

using boost::system::in_place_error;

void append_member(std::string& text, std::string_view name, std::string_view value) {
    text.append(text.size() == 1 ? "\"" : ",\"").append(name).append("\":");
    append_quoted(text, value);
}

void append_member(std::string& text, std::string_view name, std::uint64_t value) {
    text.append(",\"").append(name).append("\":").append(std::to_string(value));
}

std::string text_at(std::string_view text, std::string_view pointer) {
    const auto value = find_json(text, pointer);
    return value && is_json_string(*value) ? unquote_json(*value) : std::string();
}

template <class Number>
Number number_in(std::optional<std::string_view> value) {
    Number n{};
    if (value) std::from_chars(value->data(), value->data() + value->size(), n);
    return n;
}

}  // namespace

std::string save_letter(const saved_letter& saved) {
    const auto& l = saved.letter;
    std::string text = "{";
    append_member(text, "route", l.route);
    append_member(text, "key", l.key);
    append_member(text, "position", saved.position);
    append_member(text, "refused", format_time(l.first));
    append_member(text, "reason", l.reason);
    append_member(text, "error", l.error);
    append_member(text, "attempts", l.attempts);
    append_member(text, "payload", l.payload);
    append_member(text, "seen_in", l.seen_in);
    text.append(",\"seen\":[");
    for (const auto& [time, id] : l.seen) {
        if (text.back() != '[') text.push_back(',');
        text.append(std::to_string(time)).push_back(',');
        append_quoted(text, id);
    }
    return text.append("]}");
}

boost::system::result<saved_letter, std::string> parse_letter(std::string_view text) {
    json_check check;
    if (!check.valid(text) || find_json(text, "")->front() != '{')
        return {in_place_error, "the saved letter is not a JSON object"};
    const auto payload = find_json(text, "/payload");
    if (!payload || !is_json_string(*payload)) return {in_place_error, "the saved letter has no \"payload\""};
    const auto refused = parse_time(text_at(text, "/refused"));
    if (!refused) return {in_place_error, "the saved letter's \"refused\" is not a time"};

    saved_letter saved;
    auto& l = saved.letter;
    l.kind = dead_letter::origin::push;
    l.route = text_at(text, "/route");
    l.key = text_at(text, "/key");
    l.first = l.last = *refused;
    l.reason = text_at(text, "/reason");
    l.error = text_at(text, "/error");
    l.attempts = number_in<std::uint64_t>(find_json(text, "/attempts"));
    l.payload = unquote_json(*payload);
    l.seen_in = text_at(text, "/seen_in");
    saved.position = number_in<std::uint64_t>(find_json(text, "/position"));
    const auto list = find_json(text, "/seen").value_or("[]");
    if (list.front() != '[') return {in_place_error, "the saved letter's \"seen\" is not a list"};
    const auto seen = split_json(list.substr(1, list.size() - 2));
    for (std::size_t i = 0; i + 1 < seen.size(); i += 2)
        l.seen.emplace_back(number_in<std::int64_t>(seen[i]), unquote_json(seen[i + 1]));
    return saved;
}

}  // namespace postrider::event
