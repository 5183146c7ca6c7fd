#include "service/route_rules.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/duration.hpp"
#include "service/values.hpp"

namespace postrider::service {

namespace {

using event::policy;
using event::route;
using event::target_kind;
using std::string;
using rules = std::vector<string>;

constexpr std::size_t longest_name = 63;

bool is_name(std::string_view text) {
    const auto fits = [](char c) {
        return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' ||
               c == '.' || c == '-';
    };
    return !text.empty() && text.size() <= longest_name && std::all_of(text.begin(), text.end(), fits);
}

// "route 'bot_events'", or by its line alone where it has no name to go by.
string called(const route& r) {
    return is_name(r.name) ? fmt::format("route '{}'", r.name) : string("this route");
}

void check_required(const route& r, const file_table& table, rules& broken) {
    const auto missing = [&](std::string_view key, std::string_view example) {
        if (table.find(key) != nullptr) return false;
        broken.push_back(
            fmt::format("{} has no '{}'; write for example {} = \"{}\"", called(r), key, key, example));
        return true;
    };
    if (!missing("name", "bot_events") && !is_name(r.name)) {
        broken.push_back(fmt::format("the name {} must be 1 to 63 of A-Z a-z 0-9 _ . -", in_quotes(r.name)));
    }
    if (!missing("channel", "bot_events") && (r.channel.empty() || r.channel.size() > longest_name)) {
        broken.push_back(
            fmt::format("{}: the channel must have 1 to 63 bytes, as Postgres has it", called(r)));
    }
    if (!missing("to", "bot_messages") && r.target.name.empty()) {
        broken.push_back(
            fmt::format("{}: 'to' is empty; name a list, stream or channel in Redis", called(r)));
    }
    missing("policy", "group");
    if (table.find("policy") != nullptr && r.policy != policy::immediate) missing("key", "/match_id");
    if (r.policy == policy::delay) missing("max_delay", "6h");
}

void check_waits(const route& r, const file_table& table, rules& broken) {
    const auto& g = r.grouping;
    const bool sliding = g.kind == event::window_kind::sliding;
    if (sliding && g.max_wait < g.window) {
        broken.push_back(fmt::format("{}: max_wait ({}) is below window ({})", called(r),
                                     core::format_duration(g.max_wait), core::format_duration(g.window)));
    }
    if (!sliding && table.find("max_wait") != nullptr) {
        broken.push_back(fmt::format("{}: max_wait needs window_kind = \"sliding\"", called(r)));
    }
    if (table.find("max_delay") != nullptr && r.delaying.min > r.delaying.max) {
        broken.push_back(fmt::format("{}: min_delay ({}) is above max_delay ({})", called(r),
                                     core::format_duration(r.delaying.min),
                                     core::format_duration(r.delaying.max)));
    }
}

void check_companions(const route& r, const file_table& table, rules& broken) {
    const auto needs = [&](std::string_view key, bool fulfilled, std::string_view what) {
        if (table.find(key) != nullptr && !fulfilled) {
            broken.push_back(fmt::format("{}: {} needs {}", called(r), key, what));
        }
    };
    needs("catch_up", !r.id.empty(),
          "an id, to tell the events that were seen already; write for example id = \"/id\"");
    needs("overlap", !r.catch_up.empty(), "catch_up");
    needs("cancel_key", !r.delaying.cancel_on.empty(), "cancel_on");
    needs("max_length", r.target.kind == event::target_kind::stream, "target = \"stream\"");
    needs("stream_fields", r.target.kind == event::target_kind::stream, "target = \"stream\"");
    const bool hides_event =
        r.policy == policy::delay && std::any_of(r.fields.begin(), r.fields.end(),
                                                 [](const event::field& f) { return f.name == "match"; });
    needs("stream_fields", !hides_event, "another name for the field match, which would hide the event");
    needs("participants", !r.bot_ids.empty(), "bot_ids, or BOT_IDS in the environment");
    needs("bot_ids", !r.participants.empty(), "participants");
}

}  // namespace

std::vector<string> broken_rules(const route& r, const file_table& table) {
    rules broken;
    check_required(r, table, broken);
    check_waits(r, table, broken);
    check_companions(r, table, broken);
    return broken;
}

std::vector<string> broken_rules(const route& r, const std::vector<route>& above) {
    rules broken;
    const auto first = [&](auto same) { return std::find_if(above.begin(), above.end(), same); };
    if (!r.name.empty() && first([&](const route& other) { return other.name == r.name; }) != above.end()) {
        broken.push_back(
            fmt::format("a route named '{}' stands above already; give each a name of its own", r.name));
    }
    // Redis keeps one value under a name; a channel is none.
    const auto other = first([&](const route& o) {
        return o.target.name == r.target.name && o.target.kind != r.target.kind &&
               o.target.kind != target_kind::pubsub && r.target.kind != target_kind::pubsub;
    });
    if (!r.target.name.empty() && other != above.end()) {
        broken.push_back(fmt::format(
            "{}: '{}' cannot be a {} here, because it is the {} of route '{}'; give one of them another 'to'",
            called(r), r.target.name, event::name(r.target.kind), event::name(other->target.kind),
            other->name));
    }
    return broken;
}

core::milliseconds longest_wait(const route& r) {
    if (r.policy == policy::immediate) return core::milliseconds{0};
    if (r.policy == policy::delay) return r.delaying.max;
    const auto& g = r.grouping;
    const auto open = g.kind == event::window_kind::sliding ? g.max_wait : g.window;
    return std::max(open, g.cooldown);
}

}  // namespace postrider::service
