#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "http_get.hpp"
#include "support/folder.hpp"
#include "support/process.hpp"

namespace postrider::test {

using namespace std::chrono_literals;

struct postrider_settings {
    std::string postgres_url = {};  // empty: not set
    std::string redis_url = {};     // empty: not set
    // The TOML file's text; empty: no file, and so the built-in routes.
    std::string file = {};
    std::vector<std::pair<std::string, std::string>> environment = {};
    // Connects to Redis 0.1 s after a loss, and twice a second at least, where these waits are not what is
    // tested. To Postgres it does not: the former session, and the lock it holds, may not have ended there
    // yet.
    bool reconnects_quickly = false;
};

// The real program with `command`, on an HTTP port of its own.
class running_postrider {
 public:
    explicit running_postrider(postrider_settings wanted, const std::string& command = "run");

    // Waits until /health/readiness answers 200; false: not within the limit, or the program ended.
    bool becomes_ready(std::chrono::seconds limit = 90s);
    bool is_ready() const;
    // Ready, and in this role: "leader" or "standby". Who does not listen yet calls itself a standby as well,
    // but not ready.
    bool is(std::string_view role) const;
    bool becomes(std::string_view role, std::chrono::seconds limit = 90s) const;
    std::uint16_t port() const { return port_; }
    http_answer get(std::string_view path) const { return http_get(port_, path); }
    // Waits until the answer's body holds the text.
    bool answers(std::string_view path, std::string_view text, std::chrono::seconds limit = 90s) const;

    // How often it has come back to Postgres; 0 also where it does not answer.
    std::size_t database_reconnects() const;
    // Waits until that was once more at least: a busy machine may have cost it a session besides.
    bool reconnects_after(std::size_t before) const;

    // Waits until it was logged, from byte `from` of the log on.
    bool logs(std::string_view text, std::chrono::seconds limit = 90s, std::size_t from = 0) {
        return program_->wait_for_output(text, limit, from);
    }
    std::string log() const { return program_->output(); }
    std::string end_of_log() const;  // enough for a report

    // Of the process, as the kernel counts it. Says little under a sanitizer, which keeps what was freed.
    std::size_t resident_bytes() const;
    std::size_t peak_bytes() const;
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    static constexpr bool memory_is_its_own = false;
#else
    static constexpr bool memory_is_its_own = true;
#endif
    std::size_t open_descriptors() const;

    void signal(int number) {
        program_->signal(number);
    }
    int ends(std::chrono::seconds limit = 90s) {
        return program_->wait(limit);
    }
    void kill();  // SIGKILL; returns when it is gone

    // Kills this one and starts another like it; the log starts anew.
    void kill_and_start();
    // Starts another like the one that ended.
    void start();

 private:
    support::temporary_folder folder_;
    postrider_settings settings_;
    std::string command_;
    std::uint16_t port_;
    std::unique_ptr<support::process> program_;
};

}  // namespace postrider::test
