#include "command_line.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <iostream>
#include <string>
#include <string_view>

#include "core/nearest.hpp"
#include "core/redact.hpp"

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

// Names what was not understood, and nothing behind it: a flag's value may be a secret.
std::string unknown_argument(const CLI::App& parser) {
    constexpr std::array<std::string_view, 8> flags{"--config",    "--postgres-url", "--redis-url", "--port",
                                                    "--log-level", "--log-format",   "--version",   "--help"};
    constexpr std::array<std::string_view, 2> commands{"run", "check"};
    const auto rest = parser.remaining(true);
    const auto flag =
        std::find_if(rest.begin(), rest.end(), [](const auto& word) { return word.starts_with('-'); });
    if (flag != rest.end()) {
        const auto name = flag->substr(0, flag->find('='));
        const auto meant = core::nearest(name, flags);
        return "unknown flag '" + name + "'" + (meant ? ", did you mean '" + std::string(*meant) + "'?" : "");
    }
    const auto word = rest.empty() ? std::string() : rest.front();
    const auto meant = core::nearest(word, commands);
    const bool misspelt = meant && *meant != word;
    return "unexpected argument '" + core::redact(word) + "'" +
           (misspelt ? ", did you mean '" + std::string(*meant) + "'?" : "");
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
    return line;
}

}  // namespace postrider::app
