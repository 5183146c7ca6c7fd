#include "service/configuration.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <string_view>

#include "core/duration.hpp"
#include "core/nearest.hpp"
#include "redis/slot.hpp"
#include "service/route_rules.hpp"
#include "service/route_table.hpp"
#include "service/settings.hpp"
#include "service/toml_file.hpp"
#include "service/values.hpp"

namespace postrider::service {

namespace {

using std::string;
using problems = std::vector<string>;

std::optional<string> variable(const environment& variables, std::string_view name) {
    const auto found = variables.find(name);
    if (name.empty() || found == variables.end() || found->second.empty()) return std::nullopt;
    return found->second;
}

std::optional<string> flag(const flags& given, std::string_view name) {
    if (name == "--postgres-url") return given.postgres_url;
    if (name == "--redis-url") return given.redis_url;
    if (name == "--log-level") return given.log_level;
    if (name == "--log-format") return given.log_format;
    if (name == "--port" && given.port) return std::to_string(*given.port);
    return std::nullopt;
}

// Flags before the environment, the environment before the file.
std::optional<given_value> strongest(const setting& s, const flags& given, const environment& variables,
                                     const toml_file& file) {
    if (auto text = flag(given, s.flag)) return given_value{std::move(*text), string(s.flag)};
    for (const auto name : s.variables) {
        if (auto text = variable(variables, name)) return given_value{std::move(*text), string(name)};
    }
    const auto* table = file.find(s.table);
    const auto* value = table != nullptr ? table->find(s.key) : nullptr;
    if (value == nullptr || value->shape != file_value::kind::one) return std::nullopt;
    return given_value{value->text, fmt::format("{}: {}.{}", file.place(value->line), s.table, s.key)};
}

void apply_settings(draft& d, const flags& given, const environment& variables, const toml_file& file,
                    problems& wrong) {
    for (const auto& s : all_settings()) {
        const auto value = strongest(s, given, variables, file);
        if (!value) {
            const bool needed =
                (given.needs_redis || s.table != "redis") && (given.needs_postgres || s.table != "postgres");
            if (!s.missing.empty() && needed) wrong.emplace_back(s.missing);
            continue;
        }
        if (value->text.find_first_not_of(" \t") == string::npos) {
            wrong.push_back(value->from + ": is empty; write a value or leave it out");
            continue;
        }
        const auto words = s.apply(d, *value);
        if (words.empty()) continue;
        const auto shown = s.secret ? string() : fmt::format("={}", in_quotes(value->text));
        wrong.push_back(fmt::format("{}{}: {}", value->from, shown, words));
    }
}

template <class Keep>
std::vector<std::string_view> names_of(Keep name) {
    std::vector<std::string_view> names;
    for (const auto& s : all_settings()) {
        const std::string_view n = name(s);
        if (!n.empty() && std::find(names.begin(), names.end(), n) == names.end()) names.push_back(n);
    }
    return names;
}

string unknown(std::string_view what, std::string_view name, const std::vector<std::string_view>& known) {
    const auto meant = core::nearest(name, known);
    if (meant) return fmt::format("unknown {}, did you mean '{}'?", what, *meant);
    return fmt::format("unknown {}; known are {}", what, joined(known));
}

void check_keys(const toml_file& file, const file_table& table, problems& wrong) {
    const auto keys =
        names_of([&](const setting& s) { return s.table == table.name ? s.key : std::string_view(); });
    for (const auto& value : table.values) {
        if (std::find(keys.begin(), keys.end(), value.key) == keys.end()) {
            const auto what = fmt::format("key '{}' in [{}]", value.key, table.name);
            wrong.push_back(fmt::format("{}: {}", file.place(value.line), unknown(what, value.key, keys)));
        } else if (value.shape != file_value::kind::one) {
            wrong.push_back(fmt::format("{}: {}.{} must be a single value", file.place(value.line),
                                        table.name, value.key));
        }
    }
}

void check_tables(const toml_file& file, problems& wrong) {
    auto names = names_of([](const setting& s) { return s.table; });
    for (const auto& table : file.tables) {
        if (std::find(names.begin(), names.end(), table.name) != names.end()) {
            check_keys(file, table, wrong);
            continue;
        }
        names.emplace_back("route");
        const auto what = fmt::format("table [{}]", table.name);
        wrong.push_back(fmt::format("{}: {}", file.place(table.line), unknown(what, table.name, names)));
        names.pop_back();
    }
}

// BOT_IDS, and the Python bridge's variables for one bot each, such as BOT_ANNA_ID.
std::vector<string> bot_ids(const environment& variables) {
    string all = variable(variables, "BOT_IDS").value_or("");
    for (const auto& [name, text] : variables) {
        if (name.size() > 7 && name.starts_with("BOT_") && name.ends_with("_ID")) all += ',' + text;
    }
    return read_list(all);
}

void use_built_in_routes(draft& d, problems& wrong) {
    const auto& n = d.numbers;
    if (!n.test_mode && n.min_delay > n.max_delay) {
        wrong.push_back(
            fmt::format("MIN_DELAY_MINUTES ({}) is above MAX_DELAY_MINUTES ({}); exchange or change them",
                        core::format_duration(n.min_delay), core::format_duration(n.max_delay)));
    }
    if (n.bot_ids.empty()) {
        d.made.warnings.emplace_back(
            "BOT_IDS is not set: every event on channel new_match is skipped, as nobody is known to be a "
            "bot; "
            "write for example BOT_IDS=<id>,<id>");
    }
    d.made.routes = built_in_routes(n);
}

void use_routes_of(const toml_file& file, draft& d, problems& wrong) {
    for (const auto& table : file.routes) {
        auto r = read_route(file, table, d.numbers.bot_ids, wrong);
        for (const auto& words : broken_rules(r, d.made.routes))
            wrong.push_back(fmt::format("{}: {}", file.place(table.line), words));
        if (r.target.kind == event::target_kind::pubsub) {
            d.made.warnings.push_back(
                fmt::format("route '{}': target pubsub keeps nothing; what nobody listens to "
                            "at that moment is lost",
                            r.name));
        }
        d.made.routes.push_back(std::move(r));
    }
    if (!d.built_in_numbers_from.empty()) {
        d.made.warnings.push_back(fmt::format("no effect of {}: the routes in {} replace the built-in ones",
                                              fmt::join(d.built_in_numbers_from, ", "), file.path));
    }
}

// A context that expires before the bridge is back is a lost group, so it outlives a day and every wait by
// far.
void raise_context_ttl(draft& d) {
    auto least = core::milliseconds(24LL * 3600 * 1000);
    for (const auto& r : d.made.routes) {
        least = std::max(least, 2 * longest_wait(r));
    }
    if (d.made.context_ttl >= least) return;
    if (!d.context_ttl_from.empty()) {
        d.made.warnings.push_back(fmt::format(
            "{}: {} is raised to {}; a context that expires before the bridge is back would be a lost group",
            d.context_ttl_from, core::format_duration(d.made.context_ttl), core::format_duration(least)));
    }
    d.made.context_ttl = least;
}

void check_redis_files(draft& d, problems& wrong) {
    const auto& r = d.made.redis;
    if (r.cert_file.empty() != r.key_file.empty()) {
        wrong.emplace_back(
            "a client certificate for Redis needs its key: give REDIS_SSL_CERTFILE and "
            "REDIS_SSL_KEYFILE, or neither");
    }
    if (!r.tls && !(r.ca_file.empty() && r.cert_file.empty())) {
        d.made.warnings.emplace_back(
            "certificates for Redis have no effect without TLS; write rediss:// for it");
    }
}

void check_topology(const draft& d, problems& wrong) {
    const auto& r = d.made.redis;
    if (r.wait_replicas != 0 && r.wait_timeout >= r.command_timeout)
        wrong.push_back(
            fmt::format("redis.wait_timeout ({}) must be shorter than redis.command_timeout ({}), or Redis "
                        "would be taken for "
                        "dead while it waits for its replicas",
                        core::format_duration(r.wait_timeout), core::format_duration(r.command_timeout)));
    if (r.mode != redis::topology::cluster) return;
    for (const auto& route : d.made.routes)
        if (redis::hash_tag(route.target.name).empty())
            wrong.push_back(
                fmt::format("route '{}': the target '{}' cannot be used in a cluster, because no other key "
                            "can share its slot; "
                            "take the '}}' out of it",
                            route.name, route.target.name));
}

core::result<toml_file> read_file(const flags& given, const environment& variables) {
    const auto path =
        given.config_file.empty() ? variable(variables, "POSTRIDER_CONFIG").value_or("") : given.config_file;
    if (path.empty()) return toml_file{};
    return read_toml_file(path);
}

}  // namespace

core::result<configuration> load_configuration(const flags& given, const environment& variables) {
    problems wrong;
    auto file = read_file(given, variables);
    if (!file) return file.error();

    draft d;
    check_tables(*file, wrong);
    apply_settings(d, given, variables, *file, wrong);
    d.numbers.bot_ids = bot_ids(variables);
    if (file->routes.empty()) {
        use_built_in_routes(d, wrong);
    } else {
        use_routes_of(*file, d, wrong);
    }
    raise_context_ttl(d);
    check_redis_files(d, wrong);
    check_topology(d, wrong);
    if (wrong.empty()) return std::move(d.made);
    return core::failure{core::errc::invalid_input, fmt::format("{}", fmt::join(wrong, "\n"))};
}

environment current_environment() {
    environment out;
    for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
        const std::string_view pair = *entry;
        const auto equals = pair.find('=');
        if (equals != std::string_view::npos) out.emplace(pair.substr(0, equals), pair.substr(equals + 1));
    }
    return out;
}

}  // namespace postrider::service
