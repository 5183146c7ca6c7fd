#include "event/context.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>
#include <utility>

#include "event/json_check.hpp"
#include "event/json_text.hpp"
#include "event/time.hpp"

namespace postrider::event {

namespace {

// Named, because a saved_context could be made from a string as well.
using boost::system::in_place_error;

constexpr std::size_t count_width = 10;     // of the largest std::uint32_t
constexpr std::size_t position_width = 20;  // of the largest std::uint64_t

std::optional<std::string> find_text(std::string_view text, std::string_view pointer) {
    const auto value = find_json(text, pointer);
    if (!value || !is_json_string(*value)) return std::nullopt;
    return unquote_json(*value);
}

std::optional<wall_time> find_time(std::string_view text, std::string_view pointer) {
    const auto value = find_text(text, pointer);
    if (!value) return std::nullopt;
    return parse_time(*value);
}

std::uint64_t find_count(std::string_view text, std::string_view pointer) {
    std::uint64_t n = 0;
    if (const auto value = find_json(text, pointer))
        std::from_chars(value->data(), value->data() + value->size(), n);
    return n;
}

// A number with blanks in front, as JSON allows them between ':' and the value.
void append_padded(std::string& to, std::uint64_t number, std::size_t width) {
    const auto digits = std::to_string(number);
    to.append(width - digits.size(), ' ').append(digits);
}

// Checks first what every other step relies on.
bool is_object(std::string_view text) {
    json_check check;
    if (!check.valid(text)) return false;
    return find_json(text, "")->front() == '{';
}

}  // namespace

std::string context_head(std::string_view route_name, std::uint32_t count, wall_time opened, wall_time last,
                         std::uint64_t position) {
    std::string head = R"({"route":)";
    append_quoted(head, route_name);
    head.append(R"(,"last_message_at":")").append(format_time(last)).append(R"(","rapid_count":)");
    append_padded(head, count, count_width);
    head.append(R"(,"timer_started":")").append(format_time(opened)).append(R"(","position":)");
    append_padded(head, position, position_width);
    return head.append(R"(,"messages":[)");
}

boost::system::result<saved_context, std::string> parse_context(std::string_view text) {
    if (!is_object(text)) return {in_place_error, "the saved context is not a JSON object"};
    const auto list = find_json(text, "/messages");
    if (!list || list->front() != '[') return {in_place_error, "the saved context has no list \"messages\""};
    const auto messages = split_messages(list->substr(1, list->size() - 2));
    if (messages.empty()) return {in_place_error, "the saved context's list \"messages\" is empty"};
    const auto last = find_time(text, "/last_message_at");
    if (!last) return {in_place_error, "the saved context's \"last_message_at\" is not a time"};

    saved_context saved;
    saved.route = find_text(text, "/route").value_or("");
    saved.messages.reserve(list->size());
    for (const auto message : messages) {
        if (saved.count++ > 0) saved.messages.push_back(',');
        saved.messages.append(message);
    }
    saved.position = find_count(text, "/position");
    saved.last = *last;
    saved.opened = std::min(find_time(text, "/timer_started").value_or(*last), *last);
    return saved;
}

std::vector<std::string_view> split_messages(std::string_view joined) {
    return split_json(joined);
}

std::string save_delayed(std::string_view route_name, const delayed& d) {
    std::string text = R"({"route":)";
    append_quoted(text, route_name);
    text.append(R"(,"scheduled_for":")").append(format_time(d.scheduled_for)).append(R"(","position":)");
    text.append(std::to_string(d.number)).append(R"(,"id":)");
    append_quoted(text, d.id);
    text.append(R"(,"key":)");
    append_quoted(text, d.key);
    return text.append(R"(,"event":)").append(d.payload).append("}");
}

boost::system::result<saved_delay, std::string> parse_delayed(std::string_view text) {
    if (!is_object(text)) return {in_place_error, "the saved delay is not a JSON object"};
    auto route = find_text(text, "/route");
    if (!route) return {in_place_error, "the saved delay has no \"route\""};
    auto key = find_text(text, "/key");
    if (!key || key->empty()) return {in_place_error, "the saved delay has no \"key\""};
    const auto event = find_json(text, "/event");
    if (!event) return {in_place_error, "the saved delay has no \"event\""};
    const auto scheduled_for = find_time(text, "/scheduled_for");
    if (!scheduled_for) return {in_place_error, "the saved delay's \"scheduled_for\" is not a time"};

    saved_delay saved;
    saved.route = std::move(*route);
    saved.key = std::move(*key);
    saved.id = find_text(text, "/id").value_or("");
    saved.payload = *event;
    saved.position = find_count(text, "/position");
    saved.scheduled_for = *scheduled_for;
    return saved;
}

}  // namespace postrider::event
