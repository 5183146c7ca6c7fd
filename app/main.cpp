#include <spdlog/spdlog.h>

#include <csignal>
#include <exception>
#include <iostream>
#include <sstream>
#include <string>
#include <variant>

#include "command_line.hpp"
#include "core/log.hpp"
#include "core/redact.hpp"
#include "service/configuration.hpp"
#include "service/service.hpp"

namespace {

using namespace postrider;

int refuse(const std::string& sentences) {
    std::istringstream lines(core::redact(sentences));
    for (std::string line; std::getline(lines, line);) {
        std::cerr << "postrider: " << line << '\n';
    }
    return 2;
}

int start(const app::command_line& line) {
    const auto loaded = service::load_configuration(line.flags, service::current_environment());
    if (!loaded) return refuse(loaded.error().message);
    core::configure_log(loaded->log_level, loaded->log_format);
    for (const auto& words : loaded->warnings) {
        spdlog::warn("{}", words);
    }
    return line.command == app::command::check ? service::check(*loaded) : service::run(*loaded);
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
