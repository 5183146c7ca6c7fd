#include "support/process.hpp"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "support/eventually.hpp"

namespace postrider::support {
namespace {

std::string search_path() {
    const char* path = std::getenv("PATH");
    return path != nullptr ? path : "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
}

std::string find_program(const std::string& name) {
    if (name.find('/') != std::string::npos) return name;
    const std::string path = search_path();
    for (std::size_t from = 0; from <= path.size();) {
        const std::size_t to = std::min(path.find(':', from), path.size());
        std::string candidate = path.substr(from, to - from) + "/" + name;
        if (access(candidate.c_str(), X_OK) == 0) return candidate;
        from = to + 1;
    }
    throw std::runtime_error("cannot start " + name +
                             ": no such program in PATH (test/install.sh installs it)");
}

std::vector<std::string> environment_of(const process::settings& wanted) {
    std::vector<std::pair<std::string, std::string>> all{{"PATH", search_path()}, {"TZ", "UTC"}};
    for (const char* name : {"HOME", "ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS", "LSAN_OPTIONS"}) {
        if (const char* value = std::getenv(name); value != nullptr) all.emplace_back(name, value);
    }
    for (const auto& given : wanted.environment) {
        std::erase_if(all, [&given](const auto& entry) { return entry.first == given.first; });
        all.push_back(given);
    }
    std::vector<std::string> lines;
    for (const auto& [name, value] : all)
        lines.push_back(name + "=" + value);
    return lines;
}

std::vector<char*> pointers(std::vector<std::string>& strings) {
    std::vector<char*> all;
    for (std::string& each : strings)
        all.push_back(each.data());
    all.push_back(nullptr);
    return all;
}

// Everything the child needs, prepared before the fork: after it only async-signal-safe calls are allowed.
struct plan {
    std::string program;
    std::vector<char*> arguments;
    std::vector<char*> environment;
    std::string directory;
    std::optional<account> become;
    int output;
    int report;  // the error number of a failed step goes here
    int death_signal;
    pid_t parent;
};

bool prepare_child(const plan& to_do) {
    setpgid(0, 0);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
    for (const int number : {SIGPIPE, SIGINT, SIGTERM, SIGHUP, SIGCHLD, SIGUSR1, SIGUSR2}) {
        std::signal(number, SIG_DFL);
    }
    if (to_do.become) {
        const auto [user, group] = *to_do.become;
        if (setgroups(0, nullptr) != 0 || setgid(group) != 0 || setuid(user) != 0) return false;
    }
    // After the change of the account, which would clear it.
    prctl(PR_SET_PDEATHSIG, to_do.death_signal);
    if (getppid() != to_do.parent) _exit(127);
    if (!to_do.directory.empty() && chdir(to_do.directory.c_str()) != 0) return false;
    const int empty = open("/dev/null", O_RDONLY | O_CLOEXEC);
    return empty >= 0 && dup2(empty, 0) == 0 && dup2(to_do.output, 1) == 1 && dup2(to_do.output, 2) == 2;
}

[[noreturn]] void run_child(const plan& to_do) {
    // Whatever else the test has open, a listening socket for one, must not live on in the child.
    int report = dup2(to_do.report, 3);
    if (prepare_child(to_do) && report == 3 && fcntl(report, F_SETFD, FD_CLOEXEC) == 0) {
        close_range(4, ~0U, 0);
        execve(to_do.program.c_str(), to_do.arguments.data(), to_do.environment.data());
    }
    const int error = errno;
    [[maybe_unused]] const ssize_t written = write(report, &error, sizeof error);
    _exit(127);
}

// Descriptors above 3, so that the child can lay its own over 0 to 3 in any order.
int above_standard(int descriptor, const char* what) {
    if (descriptor < 0) throw std::system_error(errno, std::generic_category(), what);
    const int moved = fcntl(descriptor, F_DUPFD_CLOEXEC, 10);
    close(descriptor);
    if (moved < 0) throw std::system_error(errno, std::generic_category(), what);
    return moved;
}

int status_number(const siginfo_t& ended) {
    return ended.si_code == CLD_EXITED ? ended.si_status : 128 + ended.si_status;
}

}  // namespace

std::optional<account> unprivileged_account() {
    if (geteuid() != 0) return std::nullopt;
    for (const char* name : {"postgres", "nobody"}) {
        if (const passwd* found = getpwnam(name); found != nullptr)
            return account{found->pw_uid, found->pw_gid};
    }
    throw std::runtime_error("neither a postgres nor a nobody account to run unprivileged programs as");
}

process::process(settings wanted) {
    if (wanted.arguments.empty()) throw std::runtime_error("process: no program named");
    const std::string shown = wanted.arguments.front();
    std::vector<std::string> environment = environment_of(wanted);
    plan to_do{find_program(shown),
               pointers(wanted.arguments),
               pointers(environment),
               wanted.directory,
               std::nullopt,
               -1,
               -1,
               wanted.death_signal,
               getpid()};
    if (wanted.unprivileged) to_do.become = unprivileged_account();

    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) throw std::system_error(errno, std::generic_category(), "pipe2");
    const int report = above_standard(ends[0], "pipe");
    to_do.report = above_standard(ends[1], "pipe");
    output_ = above_standard(memfd_create("output", MFD_CLOEXEC), "memfd_create");
    to_do.output = output_;
    pid_ = fork();
    if (pid_ == 0) run_child(to_do);
    close(to_do.report);

    int error = pid_ < 0 ? errno : 0;
    if (pid_ > 0 && read(report, &error, sizeof error) == 0) error = 0;
    close(report);
    if (error == 0) return;
    if (pid_ > 0) waitpid(pid_, nullptr, 0);
    close(output_);
    throw std::system_error(error, std::generic_category(), "cannot start " + shown);
}

process::~process() {
    // An ended child is reaped here only: until then its number cannot belong to anybody else's group.
    ::kill(-pid_, SIGKILL);
    ::kill(pid_, SIGKILL);
    while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
    }
    close(output_);
}

void process::signal(int number) {
    if (::kill(pid_, number) != 0) throw std::system_error(errno, std::generic_category(), "kill");
}

std::optional<int> process::try_wait() {
    siginfo_t ended{};
    while (waitid(P_PID, static_cast<id_t>(pid_), &ended, WEXITED | WNOHANG | WNOWAIT) != 0) {
        if (errno != EINTR) throw std::system_error(errno, std::generic_category(), "waitid");
    }
    if (ended.si_pid == 0) return std::nullopt;
    return status_number(ended);
}

int process::wait(std::chrono::seconds limit) {
    std::optional<int> status;
    if (eventually([&] { return (status = try_wait()).has_value(); }, limit)) return *status;
    throw std::runtime_error("the program still runs after " + std::to_string(limit.count()) +
                             " s; its output:\n" + output());
}

std::string process::output() const {
    std::string text;
    char part[16384];
    ssize_t got = 0;
    while ((got = pread(output_, part, sizeof part, static_cast<off_t>(text.size()))) > 0) {
        text.append(part, static_cast<std::size_t>(got));
    }
    return text;
}

bool process::wait_for_output(std::string_view text, std::chrono::seconds limit, std::size_t from) {
    const auto found = [&] { return output().find(text, from) != std::string::npos; };
    bool ended = false;
    // Whether it ended is asked first: what it wrote before its end is then surely seen.
    eventually([&] { return (ended = try_wait().has_value()) || found(); }, limit);
    return found();
}

std::string run_program(process::settings wanted, std::chrono::seconds limit) {
    const std::string name = wanted.arguments.empty() ? "" : wanted.arguments.front();
    process program(std::move(wanted));
    const int status = program.wait(limit);
    if (status == 0) return program.output();
    throw std::runtime_error(name + " ended with status " + std::to_string(status) + ":\n" +
                             program.output());
}

}  // namespace postrider::support
