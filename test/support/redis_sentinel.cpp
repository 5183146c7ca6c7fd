#include "support/redis_sentinel.hpp"

#include <sstream>
#include <stdexcept>

#include "support/eventually.hpp"
#include "support/ports.hpp"

namespace postrider::support {

redis_sentinel::redis_sentinel(settings wanted) : settings_(std::move(wanted)), port_(free_port()) {
    std::string lines = "bind 127.0.0.1\ndir " + folder_.path() + "\n";
    if (settings_.tls != nullptr) {
        lines += "port 0\ntls-port " + std::to_string(port_) + "\ntls-cert-file " + settings_.tls->cert +
                 "\ntls-key-file " + settings_.tls->key + "\ntls-ca-cert-file " + settings_.tls->ca +
                 "\ntls-auth-clients no\ntls-replication yes\n";
    } else {
        lines += "port " + std::to_string(port_) + "\n";
    }
    lines += "sentinel monitor mymaster 127.0.0.1 " + std::to_string(settings_.primary_port) + " " +
             std::to_string(settings_.quorum) +
             "\nsentinel down-after-milliseconds mymaster 1000\nsentinel failover-timeout mymaster 5000\n";
    if (!settings_.server_password.empty())
        lines += "sentinel auth-pass mymaster " + settings_.server_password + "\n";
    if (!settings_.user.empty()) {
        lines += "user default off\nuser " + settings_.user + " on >" + settings_.password +
                 " allchannels +@all\n";
    } else if (!settings_.password.empty()) {
        lines += "requirepass " + settings_.password + "\n";
    }
    file_ = folder_.write("sentinel.conf", lines);
    start();
}

void redis_sentinel::start() {
    if (process_ && !process_->try_wait()) return;
    process::settings program;
    program.arguments = {"redis-server", file_, "--sentinel"};
    process_ = std::make_unique<process>(std::move(program));
    const bool answers = eventually([this] {
        if (process_->try_wait()) return true;
        try {
            return command({"PING"}) == "PONG";
        } catch (const std::runtime_error&) {
            return false;
        }
    });
    if (!answers || process_->try_wait())
        throw std::runtime_error("the sentinel does not answer; its log:\n" + process_->output());
    // A sentinel that got no CPU for 2 s does nothing for 30 s; an older one does not know the command.
    command({"SENTINEL", "DEBUG", "tilt-trigger", "60000"});
}

void redis_sentinel::kill() {
    process_.reset();
}

std::string redis_sentinel::command(const std::vector<std::string>& words) const {
    process::settings program;
    program.arguments = {"redis-cli", "-p", std::to_string(port_), "--no-auth-warning"};
    if (!settings_.user.empty())
        program.arguments.insert(program.arguments.end(), {"--user", settings_.user});
    if (!settings_.password.empty())
        program.arguments.insert(program.arguments.end(), {"--pass", settings_.password});
    if (settings_.tls != nullptr)
        program.arguments.insert(program.arguments.end(), {"--tls", "--cacert", settings_.tls->ca});
    program.arguments.insert(program.arguments.end(), words.begin(), words.end());
    std::string said = run_program(std::move(program));
    while (!said.empty() && said.back() == '\n')
        said.pop_back();
    return said;
}

std::uint16_t redis_sentinel::primary_port() const {
    const std::string said = command({"SENTINEL", "get-master-addr-by-name", "mymaster"});
    return static_cast<std::uint16_t>(std::stoul(said.substr(said.find('\n') + 1)));
}

std::string redis_sentinel::field(const std::string& name) const {
    std::istringstream lines(command({"SENTINEL", "MASTER", "mymaster"}));
    for (std::string key, value; std::getline(lines, key) && std::getline(lines, value);)
        if (key == name) return value;
    return {};
}

}  // namespace postrider::support
