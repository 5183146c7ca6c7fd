#pragma once

#include <variant>

#include "service/configuration.hpp"

namespace postrider::app {

enum class command { run, check };

struct command_line {
    app::command command = app::command::run;
    service::flags flags;
};

// The process ends with this status; what there was to say is said.
struct finished {
    int status = 0;
};

// Reads the arguments. --help and --version are answered on standard output (status 0); what is wrong goes to
// standard error, headed by "postrider: " (status 2).
std::variant<command_line, finished> parse_command_line(int count, const char* const* arguments);

}  // namespace postrider::app
