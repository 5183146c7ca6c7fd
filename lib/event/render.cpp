#include "event/render.hpp"

#include <algorithm>

#include "event/json_text.hpp"
#include "event/time.hpp"

namespace postrider::event {

namespace {

void append_member(std::string& out, std::string_view name, std::string_view raw) {
    out.push_back(',');
    append_quoted(out, name);
    out.push_back(':');
    out.append(raw);
}

void append_fields(std::string& out, const route& r, std::string_view payload, payload_reader& reader) {
    for (const auto& f : r.fields)
        append_member(out, f.name, reader.raw_value(payload, f.pointer));
}

std::string opening(const route& r) {
    std::string out = R"({"type":)";
    append_quoted(out, r.type);
    return out;
}

bool is_one_of(const std::vector<std::string>& ids, std::string_view raw) {
    if (!is_json_string(raw) && !is_json_number(raw)) return false;
    const auto value = is_json_string(raw) ? unquote_json(raw) : std::string(raw);
    return std::find(ids.begin(), ids.end(), value) != ids.end();
}

}  // namespace

std::string render_group(const route& r, const group& g, payload_reader& reader) {
    std::string out = opening(r);
    out.reserve(g.messages.size() + 256);
    out.append(R"(,"count":)").append(std::to_string(g.count));
    out.append(R"(,"messages":[)").append(g.messages).append("]");
    append_fields(out, r, find_json(g.messages, "").value_or(""), reader);
    return out.append("}");
}

std::string render_delayed(const route& r, const delayed& d, payload_reader& reader) {
    std::string out = opening(r);
    append_fields(out, r, d.payload, reader);
    if (!r.participants.empty()) {
        const auto pair = find_bot(r, d.payload, reader);
        append_member(out, "bot_id", pair.bot.empty() ? "null" : pair.bot);
        append_member(out, "user_id", pair.user);
    }
    append_member(out, "scheduled_for", '"' + format_time(d.scheduled_for) + '"');
    append_member(out, "match", d.payload);
    return out.append("}");
}

pairing find_bot(const route& r, std::string_view payload, payload_reader& reader) {
    const auto participant = [&](std::size_t i) {
        return i < r.participants.size() ? reader.raw_value(payload, r.participants[i]) : std::string("null");
    };
    auto first = participant(0);
    auto second = participant(1);
    if (r.bot_ids.empty()) {
        const auto bot = find_json(payload, "/bot_id");
        const auto user = find_json(payload, "/user_id");
        if (bot && user) return {std::string(*bot), std::string(*user)};
        return {std::move(first), std::move(second)};
    }
    if (is_one_of(r.bot_ids, first)) return {std::move(first), std::move(second)};
    if (is_one_of(r.bot_ids, second)) return {std::move(second), std::move(first)};
    return {std::string(), std::move(first)};
}

}  // namespace postrider::event
