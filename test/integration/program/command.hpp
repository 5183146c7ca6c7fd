#pragma once

#include <string>
#include <utility>
#include <vector>

#include "support/process.hpp"

namespace postrider::test {

struct command_result {
    int status = 0;
    std::string output;  // standard output and error, in the order written
};

// Runs the real program with these arguments to its end.
inline command_result run_command(std::vector<std::string> arguments,
                                  std::vector<std::pair<std::string, std::string>> environment = {}) {
    support::process::settings program;
    program.arguments = {POSTRIDER_PROGRAM};
    program.arguments.insert(program.arguments.end(), arguments.begin(), arguments.end());
    program.environment = std::move(environment);
    support::process running(std::move(program));
    const int status = running.wait();
    return {status, running.output()};
}

}  // namespace postrider::test
