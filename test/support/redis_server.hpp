#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "support/certificates.hpp"
#include "support/folder.hpp"
#include "support/process.hpp"

struct redisContext;

namespace postrider::support {

// A private Redis on a free loopback port and a Unix socket. It keeps its port and, where persistent, its
// data over stop, kill and start. Failures throw std::runtime_error.
class redis_server {
 public:
    struct settings {
        // Path of an ACL file ("user bob on >secret ~* &* +@all"), or empty.
        std::string user_commands_file = {};
        // Of the default user (requirepass); not together with an ACL file.
        std::string password = {};
        // Every acknowledged write outlives stop and kill. Nothing waits for the disk itself: a crash of the
        // machine is not what is tested.
        bool persistent = true;
        // Where it writes what it knows of its peers, with no reply meanwhile.
        temporary_folder::place folder = temporary_folder::place::disk;
        // Opens a TLS port beside the plain one; clients need no certificate.
        const certificates* tls = nullptr;
        // Further ones for redis-server, e.g. {"--maxmemory", "10mb"}.
        std::vector<std::string> arguments = {};
    };

    redis_server();
    explicit redis_server(settings wanted);
    redis_server(const redis_server&) = delete;
    redis_server& operator=(const redis_server&) = delete;
    ~redis_server();

    std::uint16_t port() const { return port_; }
    std::uint16_t tls_port() const { return tls_port_; }  // 0 without tls
    std::string unix_path() const;
    std::string url() const;  // redis://127.0.0.1:port, or redis://:password@127.0.0.1:port

    void start();   // returns when PING is answered; nothing to do when it runs
    void stop();    // orderly, data kept; returns when it ended
    void kill();    // SIGKILL; returns when it ended
    void pause();   // SIGSTOP: its sockets stay open and silent
    void resume();  // SIGCONT
    // Started and neither stopped nor killed nor paused.
    bool is_running() const { return process_ != nullptr && !paused_; }

    // Sends one command over a kept connection (opened again when it broke before the command was sent) and
    // flattens the reply: nested arrays in order, integers as text, nil alone as no element, nil within an
    // array as "". Error replies, and no answer within 30 s, throw.
    std::vector<std::string> command(const std::vector<std::string>& words);
    std::vector<std::string> list(const std::string& name);       // the whole list, head first
    std::int64_t integer(const std::vector<std::string>& words);  // the reply as a number
    std::string output() const;                                   // what the running server logged

 private:
    struct disconnect {
        void operator()(redisContext* context) const;
    };
    using connection = std::unique_ptr<redisContext, disconnect>;

    connection connect() const;
    bool answers(const connection& to) const;
    void await_answer();

    settings settings_;
    temporary_folder folder_;
    std::uint16_t port_;
    std::uint16_t tls_port_;
    std::unique_ptr<process> process_;
    bool paused_ = false;
    connection connection_;
};

}  // namespace postrider::support
