#include "event/stream_fields.hpp"

#include <algorithm>

#include "event/json_text.hpp"

namespace postrider::event {
namespace {

// Where the event stands in what render.hpp makes of it; of a group the first.
std::string_view place_of_event(policy p) {
    switch (p) {
        case policy::group:
            return "/messages/0";
        case policy::delay:
            return "/match";
        case policy::immediate:
            break;
    }
    return "";
}

}  // namespace

std::vector<std::string> stream_fields(const route& r, std::string_view body) {
    std::vector<std::string> words;
    if (r.target.kind != target_kind::stream || r.stream_fields.empty()) return words;
    const auto event = find_json(body, place_of_event(r.policy)).value_or("");
    for (const auto& f : r.stream_fields) {
        const auto value = find_json(event, f.pointer).value_or("null");
        words.push_back(f.name);
        words.push_back(is_json_string(value) ? unquote_json(value) : std::string(value));
    }
    return words;
}

std::vector<std::string> stream_fields(const std::vector<route>& routes, const dead_letter& l) {
    const auto its =
        std::find_if(routes.begin(), routes.end(), [&](const route& r) { return r.name == l.route; });
    if (its == routes.end() || l.target.kind != target_kind::stream) return {};
    return stream_fields(*its, l.payload);
}

}  // namespace postrider::event
