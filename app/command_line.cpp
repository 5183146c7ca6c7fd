#include "command_line.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

#include "core/nearest.hpp"
#include "core/redact.hpp"
#include "dead_letters_options.hpp"

namespace postrider::app {

namespace {

void add_flags(CLI::App& parser, service::flags& flags) {
    parser.add_option("--config", flags.config_file, "TOML file; also POSTRIDER_CONFIG")->type_name("FILE");
    parser.add_option("--postgres-url", flags.postgres_url, "Where the events come from; also POSTGRES_URL")
        ->type_name("URL");
    parser.add_option("--redis-url", flags.redis_url, "Where they go; also REDIS_URL")->type_name("URL");
    parser.add_option("--port", flags.port, "Of the HTTP server, 0 for any free one; also PORT (8080)")
        ->check(CLI::Range(0, 65'535))
        ->type_name("PORT");
    parser
        .add_option("--log-level", flags.log_level,
                    "trace, debug, info, warning, error or critical; also LOG_LEVEL")
        ->type_name("LEVEL");
    parser.add_option("--log-format", flags.log_format, "text or json; also LOG_FORMAT")->type_name("FORMAT");
}

const CLI::App* add_schema(CLI::App& parser, schema_options& options) {
    auto* schema =
        parser.add_subcommand("schema", "Print the SQL of the tables that Postrider keeps in Postgres");
    schema->add_flag("--apply", options.apply, "Run it at --postgres-url instead, in one transaction");
    schema->add_option("--grant-to", options.grant_to, "Give the service's own user the rights it needs")
        ->type_name("ROLE");
    return schema;
}

// The names that would have been understood at this place: those of the command given, and those above it.
void collect_names(const CLI::App& parser, std::vector<std::string>& flags,
                   std::vector<std::string>& commands) {
    for (const auto* option : parser.get_options())
        for (const auto& name : option->get_lnames())
            flags.push_back("--" + name);
    for (const auto* command : parser.get_subcommands([](const CLI::App*) { return true; }))
        commands.push_back(command->get_name());
    for (const auto* command : parser.get_subcommands())
        collect_names(*command, flags, commands);
}

std::string meant_instead(const std::string& word, const std::vector<std::string>& known) {
    const std::vector<std::string_view> names(known.begin(), known.end());
    const auto meant = core::nearest(word, names);
    if (!meant || *meant == word) return "";
    return ", did you mean '" + std::string(*meant) + "'?";
}

// Names what was not understood, and nothing behind it: a flag's value may be a secret.
std::string unknown_argument(const CLI::App& parser) {
    std::vector<std::string> flags;
    std::vector<std::string> commands;
    collect_names(parser, flags, commands);
    const auto rest = parser.remaining(true);
    const auto flag =
        std::find_if(rest.begin(), rest.end(), [](const auto& word) { return word.starts_with('-'); });
    if (flag != rest.end()) {
        // As with mysql, a short flag may have a password right behind it.
        const auto name = flag->substr(0, flag->starts_with("--") ? flag->find('=') : 2);
        return "unknown flag '" + name + "'" + meant_instead(name, flags);
    }
    const auto word = rest.empty() ? std::string() : rest.front();
    return "unexpected argument '" + core::redact(word) + "'" + meant_instead(word, commands);
}

int refuse(const std::string& words) {
    std::cerr << "postrider: " << words << "; see postrider --help\n";
    return 2;
}

}  // namespace

std::variant<command_line, finished> parse_command_line(int count, const char* const* arguments) {
    command_line line;
    CLI::App parser("Carries events from Postgres to Redis lists, grouped by conversation.", "postrider");
    parser.set_version_flag("--version", "postrider " POSTRIDER_VERSION);
    parser.require_subcommand(0, 1);
    // A flag may stand on either side of the command.
    parser.fallthrough();
    add_flags(parser, line.flags);
    parser.add_subcommand("run", "Serve until SIGTERM or SIGINT; the same without a command");
    const auto* check =
        parser.add_subcommand("check", "Try the configuration and both servers, and say what was found");
    const auto* health = parser.add_subcommand(
        "health", "Ask the service on this machine whether it is alive: status 0 or 1, for HEALTHCHECK");
    const auto* schema = add_schema(parser, line.schema);
    const auto* letters = add_dead_letters(parser, line.letters);
    try {
        parser.parse(count, arguments);
    } catch (const CLI::Success& answer) {
        return finished{parser.exit(answer)};
    } catch (const CLI::ExtrasError&) {
        return finished{refuse(unknown_argument(parser))};
    } catch (const CLI::ParseError& wrong) {
        return finished{refuse(core::redact(wrong.what()))};
    }
    if (check->parsed()) line.command = command::check;
    if (health->parsed()) line.command = command::health;
    if (schema->parsed()) line.command = command::schema;
    if (letters->parsed()) line.command = command::dead_letters;
    const bool pushes = line.letters.verb == service::letters_verb::replay;
    line.flags.needs_postgres = line.command != command::health;
    line.flags.needs_redis = line.command == command::run || line.command == command::check || pushes;
    return line;
}

}  // namespace postrider::app
