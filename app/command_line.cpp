#include "command_line.hpp"

#include <CLI/CLI.hpp>
#include <iostream>
#include <string>

namespace postrider::app {

namespace {

void add_flags(CLI::App& parser, service::flags& flags) {
    parser.add_option("--config", flags.config_file, "TOML file; also POSTRIDER_CONFIG")->type_name("FILE");
    parser.add_option("--postgres-url", flags.postgres_url, "Where the events come from; also POSTGRES_URL")
        ->type_name("URL");
    parser.add_option("--redis-url", flags.redis_url, "Where they go; also REDIS_URL")->type_name("URL");
    parser.add_option("--port", flags.port, "Of the HTTP server, 0 for any free one; also PORT (8080)")
        ->type_name("PORT");
    parser
        .add_option("--log-level", flags.log_level,
                    "trace, debug, info, warning, error or critical; also LOG_LEVEL")
        ->type_name("LEVEL");
    parser.add_option("--log-format", flags.log_format, "text or json; also LOG_FORMAT")->type_name("FORMAT");
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
    } catch (const CLI::ParseError& wrong) {
        std::cerr << "postrider: " << wrong.what() << "; see postrider --help\n";
        return finished{2};
    }
    if (check->parsed()) line.command = command::check;
    return line;
}

}  // namespace postrider::app
