#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "support/certificates.hpp"
#include "support/folder.hpp"
#include "support/process.hpp"

namespace postrider::support {

// One Redis Sentinel on a free loopback port that watches a primary under the name "mymaster" and holds it
// for dead after a second of silence. Failures throw std::runtime_error.
class redis_sentinel {
 public:
    struct settings {
        std::uint16_t primary_port = 0;
        unsigned quorum = 1;
        std::string server_password = {};  // of the default user of the Redis servers
        std::string user = {};             // who may ask this sentinel, beside or instead of the default user
        std::string password = {};         // asked for by this sentinel; empty: none
        // Serves TLS alone, and speaks TLS to primary_port.
        const certificates* tls = nullptr;
    };

    explicit redis_sentinel(settings wanted);  // returns when it answers
    redis_sentinel(const redis_sentinel&) = delete;
    redis_sentinel& operator=(const redis_sentinel&) = delete;

    std::uint16_t port() const { return port_; }
    void kill();   // SIGKILL; returns when it ended
    void start();  // on its port, with what it knew; nothing to do when it runs

    // What redis-cli prints for a command, without the last line's end.
    std::string command(const std::vector<std::string>& words) const;
    // The port of the primary it knows.
    std::uint16_t primary_port() const;
    // A field of SENTINEL MASTER, e.g. "num-slaves"; empty: not there.
    std::string field(const std::string& name) const;
    std::string output() const { return process_ ? process_->output() : ""; }

 private:
    settings settings_;
    temporary_folder folder_{temporary_folder::place::memory};
    std::uint16_t port_;
    std::string file_;
    std::unique_ptr<process> process_;
};

}  // namespace postrider::support
