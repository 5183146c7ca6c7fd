#include "support/proc.hpp"

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>

#include "support/eventually.hpp"

namespace postrider::support {
namespace {

struct status_line {
    char state = '\0';  // '\0': no such process
    pid_t parent = 0;
};

status_line read_status(pid_t of) {
    std::ifstream in("/proc/" + std::to_string(of) + "/stat");
    std::string text;
    status_line found;
    if (!std::getline(in, text)) return found;
    // The program's name, in parentheses, may hold anything.
    const std::size_t name_end = text.rfind(") ");
    if (name_end == std::string::npos || name_end + 4 > text.size()) return found;
    found.state = text[name_end + 2];
    found.parent = static_cast<pid_t>(std::strtol(text.c_str() + name_end + 3, nullptr, 10));
    return found;
}

bool is_end(char state) {
    return state == '\0' || state == 'Z' || state == 'X';
}

}  // namespace

std::vector<pid_t> children_of(pid_t parent) {
    std::vector<pid_t> found;
    for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
        const auto pid = static_cast<pid_t>(std::strtol(entry.path().filename().c_str(), nullptr, 10));
        if (pid > 0 && read_status(pid).parent == parent) found.push_back(pid);
    }
    return found;
}

bool has_ended(pid_t process) {
    return is_end(read_status(process).state);
}

void freeze(pid_t process) {
    ::kill(process, SIGSTOP);
    const bool still = eventually([process] {
        const char state = read_status(process).state;
        return state == 'T' || is_end(state);
    });
    if (!still) throw std::runtime_error("process " + std::to_string(process) + " does not stop");
}

}  // namespace postrider::support
