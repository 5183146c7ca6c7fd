#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "support/certificates.hpp"
#include "support/folder.hpp"
#include "support/process.hpp"

namespace postrider::support {

// A private Postgres on a free loopback port with the superuser "postgres". It keeps its port and its data
// over stop, kill and start (fsync is off: a crash of the machine is not what is tested). Works as root, who
// becomes the unprivileged account for it, and as an ordinary user. Failures throw std::runtime_error.
class postgres_server {
 public:
    struct settings {
        std::vector<std::string> configuration = {};  // lines for postgresql.conf, e.g. "wal_level = logical"
        const certificates* tls = nullptr;            // switches ssl on; clients may still come without
        std::string password = {};  // of "postgres": asked for over TCP (scram-sha-256); empty: trust
    };

    postgres_server();
    explicit postgres_server(settings wanted);
    postgres_server(const postgres_server&) = delete;
    postgres_server& operator=(const postgres_server&) = delete;
    ~postgres_server();

    std::uint16_t port() const { return port_; }
    // postgresql://postgres@127.0.0.1:port/database, with the password where one is set.
    std::string url(std::string_view database = "postgres") const;
    const std::string& socket_folder() const;  // for host=, always trusted

    void start();                       // returns when it accepts connections; nothing to do when it runs
    void stop(bool immediate = false);  // fast shutdown, or the immediate one; returns when it ended
    void kill();                        // SIGKILL to the server and all its backends; returns when all ended
    void restart();                     // stop() and start()
    void pause();                       // SIGSTOP to the server and all its backends: open sockets, silence
    void resume();                      // SIGCONT
    std::string output() const;         // the running server's log

 private:
    void configure(const std::string& data_folder) const;
    void set_password() const;
    std::string local_connection() const;

    settings settings_;
    temporary_folder folder_;
    std::uint16_t port_;
    std::unique_ptr<process> process_;
    bool paused_ = false;
};

}  // namespace postrider::support
