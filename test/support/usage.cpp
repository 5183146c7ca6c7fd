#include "support/usage.hpp"

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <system_error>

namespace postrider::support {
namespace {

std::string folder_of(pid_t process) {
    return "/proc/" + std::to_string(process);
}

std::size_t memory(pid_t process, const std::string& name) {
    std::ifstream status(folder_of(process) + "/status");
    for (std::string line; std::getline(status, line);)
        if (line.starts_with(name + ":")) return std::stoul(line.substr(name.size() + 1)) * 1024;
    return 0;
}

}  // namespace

std::size_t resident_bytes(pid_t process) {
    return memory(process, "VmRSS");
}

std::size_t peak_bytes(pid_t process) {
    return memory(process, "VmHWM");
}

double cpu_seconds(pid_t process) {
    std::ifstream stat(folder_of(process) + "/stat");
    std::string line;
    std::getline(stat, line);
    // The program's name, in parentheses, may hold anything; user and system time are the 14th and 15th
    // field.
    const auto name_end = line.rfind(") ");
    if (name_end == std::string::npos) return 0;
    std::istringstream fields(line.substr(name_end + 2));
    std::string other;
    for (int i = 3; i < 14; ++i)
        fields >> other;
    double user = 0, system = 0;
    fields >> user >> system;
    return (user + system) / static_cast<double>(sysconf(_SC_CLK_TCK));
}

std::size_t open_descriptors(pid_t process) {
    std::error_code gone;
    const std::filesystem::directory_iterator all(folder_of(process) + "/fd", gone);
    return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

}  // namespace postrider::support
