#include "support/redis_sentinels.hpp"

#include <algorithm>
#include <stdexcept>

#include "support/eventually.hpp"

namespace postrider::support {
namespace {

constexpr std::chrono::seconds patience{90};

}  // namespace

redis_sentinels::redis_sentinels(settings wanted) : settings_(std::move(wanted)) {
    redis_server::settings server;
    server.password = settings_.server_password;
    server.persistent = false;
    server.folder = temporary_folder::place::memory;
    server.arguments = {"--repl-diskless-sync-delay", "0"};
    if (!server.password.empty())
        server.arguments.insert(server.arguments.end(), {"--masterauth", server.password});
    servers_.emplace_back(server);
    server.arguments.insert(server.arguments.end(),
                            {"--replicaof", "127.0.0.1", std::to_string(servers_[0].port())});
    servers_.emplace_back(server);
    servers_.emplace_back(server);
    await_replicas();
    redis_sentinel::settings sentinel;
    sentinel.primary_port = servers_[0].port();
    sentinel.quorum = 2;
    sentinel.server_password = settings_.server_password;
    sentinel.password = settings_.sentinel_password;
    for (int i = 0; i < 3; ++i)
        sentinels_.emplace_back(sentinel);
    await_sentinels();
}

void redis_sentinels::await_replicas() {
    const bool follow = eventually(
        [this] {
            const std::string info = servers_[0].command({"INFO", "replication"}).front();
            return info.find("connected_slaves:2") != std::string::npos &&
                   info.find("state=online", info.find("state=online") + 1) != std::string::npos;
        },
        patience);
    if (!follow)
        throw std::runtime_error("the replicas do not follow; the primary says:\n" + servers_[0].output());
}

void redis_sentinels::await_sentinels() {
    const bool known = eventually(
        [this] {
            return std::all_of(sentinels_.begin(), sentinels_.end(), [](const redis_sentinel& s) {
                return s.field("num-slaves") == "2" && s.field("num-other-sentinels") == "2";
            });
        },
        patience);
    if (!known)
        throw std::runtime_error("the sentinels do not know each other; one says:\n" +
                                 sentinels_[0].output());
}

std::string redis_sentinels::url() const {
    std::string hosts;
    for (const redis_sentinel& s : sentinels_)
        hosts += (hosts.empty() ? "127.0.0.1:" : ",127.0.0.1:") + std::to_string(s.port());
    std::string credentials;
    if (!settings_.server_password.empty()) credentials = ":" + settings_.server_password + "@";
    std::string query;
    if (!settings_.sentinel_password.empty()) query = "?sentinel_password=" + settings_.sentinel_password;
    return "redis+sentinel://" + credentials + hosts + "/mymaster/0" + query;
}

redis_server& redis_sentinels::at(std::uint16_t port) {
    for (redis_server& s : servers_)
        if (s.port() == port) return s;
    throw std::runtime_error("no server has the port " + std::to_string(port));
}

redis_server& redis_sentinels::primary() {
    return at(sentinels_[0].primary_port());
}

redis_server& redis_sentinels::primary_after(const redis_server& old) {
    const bool over = eventually(
        [&] {
            return std::all_of(sentinels_.begin(), sentinels_.end(),
                               [&](const redis_sentinel& s) { return s.primary_port() != old.port(); });
        },
        patience);
    if (!over) throw std::runtime_error("no failover; a sentinel says:\n" + sentinels_[0].output());
    return primary();
}

void redis_sentinels::fail_over() {
    const redis_server& old = primary();
    const std::string said = sentinels_[0].command({"SENTINEL", "FAILOVER", "mymaster"});
    if (said != "OK") throw std::runtime_error("SENTINEL FAILOVER: " + said);
    primary_after(old);
}

}  // namespace postrider::support
