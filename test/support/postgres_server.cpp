#include "support/postgres_server.hpp"

#include <libpq-fe.h>
#include <sys/shm.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <system_error>

#include "support/eventually.hpp"
#include "support/ports.hpp"
#include "support/postgres_template.hpp"
#include "support/proc.hpp"
#include "support/sql.hpp"

namespace postrider::support {
namespace {

namespace fs = std::filesystem;

void write_file(const std::string& file, const std::string& text, std::ios::openmode mode) {
    std::ofstream out(file, mode);
    if (!(out << text) || !out.flush()) throw std::runtime_error("cannot write " + file);
}

// A server that was killed leaves its shared memory to the next one on the same data, which may never come.
void remove_shared_memory(const std::string& data_folder) {
    std::ifstream in(data_folder + "/postmaster.pid");
    std::string line;
    for (int number = 1; number <= 7 && std::getline(in, line); ++number) {
        long key = 0;
        int id = -1;
        if (number == 7 && std::istringstream(line) >> key >> id) shmctl(id, IPC_RMID, nullptr);
    }
}

void take_over(const std::string& from, const std::string& to) {
    fs::copy_file(from, to, fs::copy_options::overwrite_existing);
    fs::permissions(to, fs::perms::owner_read | fs::perms::owner_write);
    const auto owner = unprivileged_account();
    if (owner && chown(to.c_str(), owner->user, owner->group) != 0) {
        throw std::system_error(errno, std::generic_category(), "chown " + to);
    }
}

}  // namespace

postgres_server::postgres_server() : postgres_server(settings{}) {}

postgres_server::postgres_server(settings wanted) : settings_(std::move(wanted)), port_(free_port()) {
    const std::string data = folder_.path() + "/data";
    copy_postgres_template(data);
    // Postgres makes its socket in the folder above its data.
    const auto owner = unprivileged_account();
    if (owner && chown(folder_.path().c_str(), owner->user, owner->group) != 0) {
        throw std::system_error(errno, std::generic_category(), "chown " + folder_.path());
    }
    configure(data);
    start();
    if (!settings_.password.empty()) set_password();
}

postgres_server::~postgres_server() {
    if (!process_) return;
    try {
        // Only an orderly end takes the server's shared memory away with it.
        stop(true);
    } catch (const std::exception& reason) {
        std::fprintf(stderr, "postgres did not stop by itself: %s\n", reason.what());
    }
}

void postgres_server::configure(const std::string& data_folder) const {
    std::string lines =
        "\nlisten_addresses = '127.0.0.1'\nport = " + std::to_string(port_) +
        "\nunix_socket_directories = '" + folder_.path() +
        "'\nmax_connections = 50\nfsync = off\nlog_destination = stderr\nlogging_collector = off\n";
    if (settings_.tls != nullptr) {
        take_over(settings_.tls->cert, data_folder + "/server.crt");
        take_over(settings_.tls->key, data_folder + "/server.key");
        lines += "ssl = on\nssl_cert_file = 'server.crt'\nssl_key_file = 'server.key'\n";
    }
    for (const std::string& line : settings_.configuration)
        lines += line + "\n";
    write_file(data_folder + "/postgresql.conf", lines, std::ios::app);

    const std::string method = settings_.password.empty() ? "trust" : "scram-sha-256";
    write_file(data_folder + "/pg_hba.conf",
               "local all all trust\nlocal replication all trust\nhost all all 127.0.0.1/32 " + method +
                   "\nhost replication all 127.0.0.1/32 " + method + "\n",
               std::ios::trunc);
}

void postgres_server::set_password() const {
    sql session(local_connection());
    const std::string quoted = session.rows("SELECT quote_literal($1)", {settings_.password}).front().front();
    session.run("SET password_encryption = 'scram-sha-256'; ALTER USER postgres PASSWORD " + quoted);
}

const std::string& postgres_server::socket_folder() const {
    return folder_.path();
}

std::string postgres_server::local_connection() const {
    return "host=" + folder_.path() + " port=" + std::to_string(port_) +
           " user=postgres dbname=postgres connect_timeout=10";
}

std::string postgres_server::url(std::string_view database) const {
    const std::string credentials =
        settings_.password.empty() ? "postgres" : "postgres:" + settings_.password;
    return "postgresql://" + credentials + "@127.0.0.1:" + std::to_string(port_) + "/" +
           std::string(database);
}

void postgres_server::start() {
    if (process_ && !process_->try_wait()) return;
    process::settings postgres;
    postgres.arguments = {postgres_programs() + "/postgres", "-D", folder_.path() + "/data"};
    postgres.directory = folder_.path();
    postgres.unprivileged = true;
    postgres.death_signal = SIGQUIT;
    process_.reset();
    process_ = std::make_unique<process>(std::move(postgres));
    const std::string connection = local_connection();
    const bool accepts = eventually(
        [&] { return process_->try_wait().has_value() || PQping(connection.c_str()) == PQPING_OK; },
        std::chrono::seconds(60));
    if (!accepts || process_->try_wait()) {
        throw std::runtime_error("postgres does not accept connections on port " + std::to_string(port_) +
                                 "; its log:\n" + process_->output());
    }
}

void postgres_server::stop(bool immediate) {
    if (!process_) return;
    resume();
    process_->signal(immediate ? SIGQUIT : SIGINT);
    process_->wait();
    process_.reset();
}

void postgres_server::restart() {
    stop();
    start();
}

void postgres_server::kill() {
    if (!process_) return;
    // Frozen first, so that it starts no further backend while those there are being killed.
    freeze(process_->pid());
    const std::vector<pid_t> backends = children_of(process_->pid());
    for (const pid_t each : backends)
        ::kill(each, SIGKILL);
    process_.reset();
    paused_ = false;
    const bool gone = eventually([&] { return std::all_of(backends.begin(), backends.end(), has_ended); });
    if (!gone) throw std::runtime_error("a backend of postgres survives SIGKILL");
    remove_shared_memory(folder_.path() + "/data");
}

void postgres_server::pause() {
    if (!process_) throw std::runtime_error("postgres: paused while it does not run");
    freeze(process_->pid());
    paused_ = true;
    for (const pid_t each : children_of(process_->pid()))
        freeze(each);
}

void postgres_server::resume() {
    if (!process_ || !paused_) return;
    for (const pid_t each : children_of(process_->pid()))
        ::kill(each, SIGCONT);
    process_->signal(SIGCONT);
    paused_ = false;
}

std::string postgres_server::output() const {
    return process_ ? process_->output() : "";
}

}  // namespace postrider::support
