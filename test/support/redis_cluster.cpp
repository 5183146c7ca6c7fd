#include "support/redis_cluster.hpp"

#include <set>
#include <sstream>
#include <stdexcept>

#include "support/eventually.hpp"
#include "support/ports.hpp"

namespace postrider::support {
namespace {

std::string port_text(const redis_server& of) {
    return std::to_string(of.port());
}

// Who has which slots since which epoch, as a server knows it.
std::set<std::string> picture_of(redis_server& server) {
    std::set<std::string> picture;
    std::istringstream nodes(server.command({"CLUSTER", "NODES"}).front());
    for (std::string line; std::getline(nodes, line);) {
        // <id> <address> <flags> <primary> <ping> <pong> <config epoch> <link state> <slots …>
        std::istringstream words(line);
        std::string id, address, flags, skipped, epoch;
        words >> id >> address >> flags >> skipped >> skipped >> skipped >> epoch >> skipped;
        if (flags.find("master") == std::string::npos) continue;
        std::string known = id + " " + epoch;
        // What is on its way stands in brackets, and only where it is.
        for (std::string slots; words >> slots;)
            if (slots.front() != '[') known += " " + slots;
        picture.insert(known);
    }
    return picture;
}

}  // namespace

redis_cluster::redis_cluster(const std::string& password) : password_(password) {
    for (int i = 0; i < 6; ++i) {
        redis_server::settings s;
        s.persistent = false;
        s.folder = temporary_folder::place::memory;
        s.password = password;
        s.arguments = {"--cluster-enabled",
                       "yes",
                       "--cluster-node-timeout",
                       "15000",
                       "--cluster-port",
                       std::to_string(free_port()),
                       "--cluster-replica-validity-factor",
                       "0",
                       "--repl-diskless-sync-delay",
                       "0"};
        if (!password.empty()) s.arguments.insert(s.arguments.end(), {"--masterauth", password});
        servers_.emplace_back(s);
    }
    process::settings create;
    create.arguments = {"redis-cli", "--no-auth-warning"};
    if (!password.empty()) create.arguments.insert(create.arguments.end(), {"--pass", password});
    create.arguments.insert(create.arguments.end(), {"--cluster", "create"});
    for (const redis_server& s : servers_)
        create.arguments.push_back("127.0.0.1:" + port_text(s));
    create.arguments.insert(create.arguments.end(), {"--cluster-replicas", "1", "--cluster-yes"});
    const std::string said = run_program(std::move(create), std::chrono::seconds(120));
    const bool ready = eventually(
        [this] {
            for (redis_server& s : servers_) {
                if (s.command({"CLUSTER", "INFO"}).front().find("cluster_state:ok") == std::string::npos)
                    return false;
                const auto role = s.command({"ROLE"});
                if (role.front() == "slave" && role[3] != "connected") return false;
            }
            return agreed();
        },
        std::chrono::seconds(90));
    if (!ready) throw std::runtime_error("the cluster does not come up; redis-cli said:\n" + said);
}

std::string redis_cluster::url() const {
    const std::string credentials = password_.empty() ? "" : ":" + password_ + "@";
    std::string hosts;
    for (const std::size_t n : {0U, 4U, 2U})
        hosts += (hosts.empty() ? "127.0.0.1:" : ",127.0.0.1:") + port_text(servers_[n]);
    return "redis+cluster://" + credentials + hosts;
}

void redis_cluster::set_node_timeout(std::chrono::milliseconds t) {
    for (redis_server& s : servers_)
        s.command({"CONFIG", "SET", "cluster-node-timeout", std::to_string(t.count())});
}

redis_server& redis_cluster::some_running() {
    for (redis_server& s : servers_) {
        if (s.is_running()) return s;
    }
    throw std::runtime_error("no server of the cluster runs");
}

std::uint16_t redis_cluster::slot(const std::string& key) {
    return static_cast<std::uint16_t>(some_running().integer({"CLUSTER", "KEYSLOT", key}));
}

std::size_t redis_cluster::primary_of(std::uint16_t slot) {
    // First slot, last slot, and then host, port, id (and no metadata) of each server, all flat.
    const auto flat = some_running().command({"CLUSTER", "SLOTS"});
    const auto is_number = [](const std::string& s) {
        return !s.empty() && s.size() < 6 && s.find_first_not_of("0123456789") == std::string::npos;
    };
    for (std::size_t i = 0; i + 3 < flat.size(); ++i) {
        if (!is_number(flat[i]) || !is_number(flat[i + 1]) || is_number(flat[i + 2])) continue;
        if (std::stoul(flat[i]) > slot || std::stoul(flat[i + 1]) < slot) continue;
        for (std::size_t n = 0; n < servers_.size(); ++n)
            if (port_text(servers_[n]) == flat[i + 3]) return n;
    }
    throw std::runtime_error("nobody has the slot " + std::to_string(slot));
}

std::size_t redis_cluster::other_primary(std::size_t n) {
    for (const std::uint16_t slot : {std::uint16_t{0}, std::uint16_t{8'000}, std::uint16_t{16'000}})
        if (primary_of(slot) != n) return primary_of(slot);
    throw std::runtime_error("the cluster has one primary alone");
}

bool redis_cluster::agreed() {
    const auto picture = picture_of(some_running());
    for (redis_server& s : servers_)
        if (s.is_running() && picture_of(s) != picture) return false;
    return true;
}

std::size_t redis_cluster::primary_after(std::uint16_t slot, std::size_t old) {
    const bool over = eventually([&] { return primary_of(slot) != old; }, std::chrono::seconds(90));
    if (!over) throw std::runtime_error("no failover; a server says:\n" + some_running().output());
    return primary_of(slot);
}

void redis_cluster::begin_move(std::uint16_t slot, std::size_t from, std::size_t to) {
    const std::string text = std::to_string(slot);
    servers_[to].command({"CLUSTER", "SETSLOT", text, "IMPORTING", id(from)});
    servers_[from].command({"CLUSTER", "SETSLOT", text, "MIGRATING", id(to)});
}

std::size_t redis_cluster::move_keys(std::uint16_t slot, std::size_t from, std::size_t to, std::size_t most) {
    const auto keys =
        servers_[from].command({"CLUSTER", "GETKEYSINSLOT", std::to_string(slot), std::to_string(most)});
    if (keys.empty()) return 0;
    std::vector<std::string> move{"MIGRATE", "127.0.0.1", port_text(servers_[to]), "", "0", "5000"};
    if (!password_.empty()) move.insert(move.end(), {"AUTH", password_});
    move.emplace_back("KEYS");
    move.insert(move.end(), keys.begin(), keys.end());
    servers_[from].command(move);
    return keys.size();
}

void redis_cluster::end_move(std::uint16_t slot, std::size_t from, std::size_t to) {
    while (move_keys(slot, from, to, 100) != 0) {
    }
    const std::string target = id(to);
    const auto give = [&](redis_server& s) {
        s.command({"CLUSTER", "SETSLOT", std::to_string(slot), "NODE", target});
    };
    give(servers_[to]);
    give(servers_[from]);
    // A slot that goes on before all know its new epoch can be claimed back, and its keys be dropped.
    if (!eventually([this] { return agreed(); }, std::chrono::seconds(90)))
        throw std::runtime_error("the cluster does not agree on slot " + std::to_string(slot));
}

}  // namespace postrider::support
