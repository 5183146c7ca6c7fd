#include <csignal>
#include <exception>
#include <iostream>
#include <sstream>
#include <string>
#include <variant>
#include <vector>

#include "command_line.hpp"
#include "core/log.hpp"
#include "core/log_line.hpp"
#include "core/redact.hpp"
#include "service/configuration.hpp"
#include "service/service.hpp"

namespace {

using namespace postrider;

// Who reads JSON gets nothing else, also before the configuration is known.
bool asks_for_json(const service::flags& flags, const service::environment& variables) {
    const auto found = variables.find("LOG_FORMAT");
    const auto variable = found == variables.end() ? std::string() : found->second;
    return flags.log_format.value_or(variable) == "json";
}

int refuse(const std::string& sentences, bool as_json) {
    if (as_json) core::configure_log("info", core::log_format::json);
    std::istringstream lines(core::redact(sentences));
    for (std::string line; std::getline(lines, line);) {
        if (as_json)
            core::log_error("{}", line);
        else
            std::cerr << "postrider: " << line << '\n';
    }
    if (as_json) core::end_log();
    return 2;
}

int run(const app::command_line& line, const service::configuration& c) {
    switch (line.command) {
        case app::command::check:
            return service::check(c);
        case app::command::health:
            return service::health(c);
        case app::command::schema:
            return service::apply_schema(c, line.schema.grant_to);
        case app::command::dead_letters:
            return service::dead_letters(c, line.letters);
        case app::command::run:
            break;
    }
    return service::run(c);
}

int start(const app::command_line& line) {
    // To read the SQL nobody needs a database.
    if (line.command == app::command::schema && !line.schema.apply)
        return service::print_schema(line.schema.grant_to);
    const auto variables = service::current_environment();
    const auto loaded = service::load_configuration(line.flags, variables);
    if (!loaded) {
        const bool as_json = line.command == app::command::run && asks_for_json(line.flags, variables);
        const int status = refuse(loaded.error().message, as_json);
        // Docker keeps every status of a HEALTHCHECK but 0 and 1 for itself.
        return line.command == app::command::health ? 1 : status;
    }
    // Those who look after the tables want no account of connections, and no warnings about serving.
    const bool serving = line.command == app::command::run || line.command == app::command::check;
    core::configure_log(serving ? loaded->log_level : "warning", loaded->log_format);
    for (const auto& words : serving ? loaded->warnings : std::vector<std::string>()) {
        core::log_warning("{}", words);
    }
    const int status = run(line, *loaded);
    core::end_log();
    return status;
}

}  // namespace

int main(int count, char** arguments) {
    // A peer that went away shows as an error of the write, not as the end of the process.
    std::signal(SIGPIPE, SIG_IGN);
    try {
        const auto line = app::parse_command_line(count, arguments);
        if (const auto* ended = std::get_if<app::finished>(&line)) return ended->status;
        return start(std::get<app::command_line>(line));
    } catch (const std::exception& e) {
        std::cerr << "postrider: internal error: " << core::redact(e.what()) << '\n';
        return 1;
    }
}
