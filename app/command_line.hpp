#pragma once

#include <string>
#include <variant>

#include "service/configuration.hpp"
#include "service/letters_command.hpp"

namespace postrider::app {

enum class command { run, check, health, schema, dead_letters };

struct schema_options {
    bool apply = false;
    std::string grant_to;  // a role; empty: none
};

struct command_line {
    app::command command = app::command::run;
    service::flags flags;
    schema_options schema;
    service::letters_request letters;
};

// The process ends with this status; what there was to say is said.
struct finished {
    int status = 0;
};

// Reads the arguments. --help and --version are answered on standard output (status 0); what is wrong goes to
// standard error, headed by "postrider: " (status 2).
std::variant<command_line, finished> parse_command_line(int count, const char* const* arguments);

}  // namespace postrider::app
