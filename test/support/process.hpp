#pragma once

#include <sys/types.h>

#include <chrono>
#include <csignal>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace postrider::support {

using namespace std::chrono_literals;

// A child process that never outlives the test: it is killed with its process group by the destructor, and
// by the kernel when the thread that started it ends (so start it from a thread that stays).
class process {
 public:
    struct settings {
        // The program first, looked up in PATH unless it has a slash.
        std::vector<std::string> arguments = {};
        // Added to PATH, HOME, TZ=UTC and the sanitizers' options; a name given here wins over those.
        std::vector<std::pair<std::string, std::string>> environment = {};
        // The folder to start in; empty: the current one.
        std::string directory = {};
        // Root becomes the "postgres" account, or "nobody" where that is missing.
        bool unprivileged = false;
        // What the kernel sends when the starting thread ends.
        int death_signal = SIGKILL;
    };

    // Returns when the program runs; throws std::runtime_error with the reason when it cannot be started.
    explicit process(settings wanted);
    process(const process&) = delete;
    process& operator=(const process&) = delete;
    ~process();

    pid_t pid() const { return pid_; }
    // Sends to the program alone; nothing happens once it ended.
    void signal(int number);

    // The exit status, or 128 + the signal that ended it; nullopt while it runs.
    std::optional<int> try_wait();
    // Same, but waits; throws std::runtime_error with the output so far when it still runs after the limit.
    int wait(std::chrono::seconds limit = 90s);

    // stdout and stderr so far, in the order written.
    std::string output() const;
    // Whether the output from byte `from` on holds the text; waits for it until the limit or the program's
    // end.
    bool wait_for_output(std::string_view text, std::chrono::seconds limit = 90s, std::size_t from = 0);

 private:
    pid_t pid_ = -1;
    int output_ = -1;  // a memory file, so that a child that writes much is never blocked by a slow reader
};

struct account {
    uid_t user;
    gid_t group;
};

// The account that unprivileged children run as; nullopt where this process is not root.
std::optional<account> unprivileged_account();

// Runs a program to its end and returns its output; throws std::runtime_error unless it exits with 0 in time.
std::string run_program(process::settings wanted, std::chrono::seconds limit = 60s);

}  // namespace postrider::support
