#include "service/route_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "core/nearest.hpp"
#include "service/route_rules.hpp"
#include "service/values.hpp"

namespace postrider::service {

namespace {

using event::policy;
using event::route;
using std::string;

constexpr unsigned for_group = 1, for_delay = 2, for_immediate = 4;
constexpr unsigned for_all = for_group | for_delay | for_immediate;
constexpr std::array<std::string_view, 3> policies{"group", "delay", "immediate"};
constexpr std::uint64_t mebibyte = 1 << 20;

// Plain text: short, and without the zero byte that would end it early in libpq.
string text(string& place, const file_value& v, std::size_t longest) {
    if (v.text.size() > longest) return fmt::format("longer than {} bytes", longest);
    if (v.text.find('\0') != string::npos) return "holds a zero byte";
    place = v.text;
    return {};
}

string wait(event::milliseconds& place, const file_value& v) {
    return store(read_wait(v.text), place);
}
string span(event::milliseconds& place, const file_value& v) {
    return store(core::parse_duration(v.text), place);
}
string pointer(string& place, const file_value& v) {
    return store(read_pointer(v.text), place);
}

template <class Place>
string count(Place& place, const file_value& v, std::uint64_t most) {
    return store(read_count(v.text, 1, most), place);
}

string fields(std::vector<event::field>& place, const file_value& v) {
    for (const auto& [name, path] : v.items) {
        const auto read = read_pointer(path);
        if (!read) return fmt::format("{}={}: {}", name, in_quotes(path), read.error().message);
        place.push_back({name, path});
    }
    return {};
}

// They stand in every entry, so their number is bounded.
string stream_fields(route& r, const file_value& v) {
    constexpr std::size_t most = 32;
    constexpr std::size_t longest = 256;
    if (v.items.size() > most) return fmt::format("more than {} fields", most);
    for (const auto& [name, path] : v.items) {
        if (name.empty() || name.size() > longest)
            return fmt::format("a field's name must have 1 to {} bytes", longest);
        if (name == "data") return "the field data is taken: it holds what is pushed";
    }
    return fields(r.stream_fields, v);
}

string participants(route& r, const file_value& v) {
    if (v.items.size() != 2) return "must name two pointers, one for each person";
    for (const auto& [none, path] : v.items) {
        const auto read = read_pointer(path);
        if (!read) return fmt::format("{}: {}", in_quotes(path), read.error().message);
        r.participants.push_back(path);
    }
    return {};
}

string bot_ids(route& r, const file_value& v) {
    for (const auto& [none, id] : v.items) {
        if (id.empty()) return "holds an empty id";
        r.bot_ids.push_back(id);
    }
    return {};
}

template <class Enum, std::size_t N>
string word(Enum& place, const file_value& v, const std::array<std::string_view, N>& words) {
    return store_word(v.text, words, place);
}

struct route_key {
    std::string_view name;
    unsigned policies;
    string (*apply)(route&, const file_value&);
    file_value::kind shape = file_value::kind::one;
};

constexpr std::array<std::string_view, 2> window_kinds{"fixed", "sliding"};
constexpr std::array<std::string_view, 2> distributions{"uniform", "triangular"};
using shape = file_value::kind;

constexpr std::array<route_key, 29> keys{{
    {"name", for_all, [](route& r, const file_value& v) { return text(r.name, v, 1'000); }},
    {"channel", for_all, [](route& r, const file_value& v) { return text(r.channel, v, 1'000); }},
    {"policy", for_all, [](route& r, const file_value& v) { return word(r.policy, v, policies); }},
    {"key", for_all, [](route& r, const file_value& v) { return pointer(r.key, v); }},
    {"id", for_all, [](route& r, const file_value& v) { return pointer(r.id, v); }},
    {"time", for_all, [](route& r, const file_value& v) { return pointer(r.time, v); }},
    {"window", for_group, [](route& r, const file_value& v) { return wait(r.grouping.window, v); }},
    {"window_kind", for_group,
     [](route& r, const file_value& v) { return word(r.grouping.kind, v, window_kinds); }},
    {"max_wait", for_group, [](route& r, const file_value& v) { return wait(r.grouping.max_wait, v); }},
    {"cooldown", for_group, [](route& r, const file_value& v) { return span(r.grouping.cooldown, v); }},
    {"max_events", for_group,
     [](route& r, const file_value& v) { return count(r.grouping.max_events, v, 1'000'000); }},
    {"max_bytes", for_group,
     [](route& r, const file_value& v) { return count(r.grouping.max_bytes, v, 256 * mebibyte); }},
    {"min_delay", for_delay, [](route& r, const file_value& v) { return span(r.delaying.min, v); }},
    {"max_delay", for_delay, [](route& r, const file_value& v) { return span(r.delaying.max, v); }},
    {"distribution", for_delay,
     [](route& r, const file_value& v) { return word(r.delaying.spread, v, distributions); }},
    {"probability", for_delay,
     [](route& r, const file_value& v) { return store(read_probability(v.text), r.delaying.probability); }},
    {"cancel_on", for_delay, [](route& r, const file_value& v) { return text(r.delaying.cancel_on, v, 63); }},
    {"cancel_key", for_delay,
     [](route& r, const file_value& v) { return pointer(r.delaying.cancel_key, v); }},
    {"participants", for_delay, participants, shape::list},
    {"bot_ids", for_delay, bot_ids, shape::list},
    {"target", for_all,
     [](route& r, const file_value& v) { return word(r.target.kind, v, event::target_kinds); }},
    {"to", for_all, [](route& r, const file_value& v) { return text(r.target.name, v, 1'024); }},
    {"max_length", for_all,
     [](route& r, const file_value& v) { return count(r.target.max_length, v, 1'000'000'000'000); }},
    {"type", for_group | for_delay, [](route& r, const file_value& v) { return text(r.type, v, 256); }},
    {"fields", for_group | for_delay, [](route& r, const file_value& v) { return fields(r.fields, v); },
     shape::table},
    {"stream_fields", for_all, stream_fields, shape::table},
    {"catch_up", for_all, [](route& r, const file_value& v) { return text(r.catch_up, v, 100'000); }},
    {"overlap", for_all, [](route& r, const file_value& v) { return span(r.overlap, v); }},
    {"max_payload_bytes", for_all,
     [](route& r, const file_value& v) { return count(r.max_payload_bytes, v, 64 * mebibyte); }},
}};

string unknown_key(const string& key) {
    std::array<std::string_view, keys.size()> names;
    std::transform(keys.begin(), keys.end(), names.begin(), [](const auto& k) { return k.name; });
    const auto meant = core::nearest(key, names);
    if (meant) return fmt::format("unknown key '{}' in [[route]], did you mean '{}'?", key, *meant);
    return fmt::format("unknown key '{}' in [[route]]; known are {}", key, joined(names));
}

string wrong_shape(const route_key& key) {
    if (key.shape == shape::list) return fmt::format("route.{} must be a list: [\"…\", \"…\"]", key.name);
    if (key.shape == shape::table)
        return fmt::format("route.{} must be a table: {{ name = \"/pointer\" }}", key.name);
    return fmt::format("route.{} must be a single value", key.name);
}

// One key; words that already say which.
string apply(route& r, const file_value& v, unsigned this_policy) {
    const auto key = std::find_if(keys.begin(), keys.end(), [&](const auto& k) { return k.name == v.key; });
    if (key == keys.end()) return unknown_key(v.key);
    if (v.shape != key->shape) return wrong_shape(*key);
    if (this_policy != 0 && (key->policies & this_policy) == 0) {
        return fmt::format("route.{} has no meaning with policy = \"{}\"; leave it out", v.key,
                           policies[static_cast<std::size_t>(r.policy)]);
    }
    const auto words = key->apply(r, v);
    if (words.empty()) return {};
    if (v.shape != shape::one) return fmt::format("route.{}: {}", v.key, words);
    return fmt::format("route.{}={}: {}", v.key, in_quotes(v.text), words);
}

// The policy decides which keys have a meaning, so it is read first; 0: missing or wrong.
unsigned policy_of(route& r, const file_table& table) {
    const auto* v = table.find("policy");
    if (v == nullptr || !word(r.policy, *v, policies).empty()) return 0;
    return 1U << static_cast<unsigned>(r.policy);
}

void fill_in_defaults(route& r, const file_table& table, const std::vector<string>& environment_bots) {
    if (r.policy == policy::group && table.find("type") == nullptr) r.type = "grouped";
    if (r.policy == policy::delay && table.find("type") == nullptr) r.type = "initiation";
    if (table.find("max_wait") == nullptr) {
        r.grouping.max_wait = std::max(r.grouping.max_wait, 4 * r.grouping.window);
    }
    if (!r.delaying.cancel_on.empty() && r.delaying.cancel_key.empty()) r.delaying.cancel_key = r.key;
    if (!r.participants.empty() && table.find("bot_ids") == nullptr) r.bot_ids = environment_bots;
}

}  // namespace

event::route read_route(const toml_file& file, const file_table& table, const std::vector<string>& bots,
                        std::vector<string>& problems) {
    route r;
    const auto before = problems.size();
    const auto this_policy = policy_of(r, table);
    for (const auto& v : table.values) {
        const auto words = apply(r, v, this_policy);
        if (!words.empty()) problems.push_back(fmt::format("{}: {}", file.place(v.line), words));
    }
    if (problems.size() != before) return r;
    fill_in_defaults(r, table, bots);
    for (const auto& words : broken_rules(r, table)) {
        problems.push_back(fmt::format("{}: {}", file.place(table.line), words));
    }
    return r;
}

}  // namespace postrider::service
