#include "support/pgbouncer.hpp"

#include <libpq-fe.h>

#include <stdexcept>

#include "support/eventually.hpp"
#include "support/ports.hpp"

namespace postrider::support {

pgbouncer::pgbouncer(std::uint16_t postgres_port, const std::string& pool_mode) : port_(free_port()) {
    const std::string settings =
        "[databases]\npostgres = host=127.0.0.1 port=" + std::to_string(postgres_port) +
        " user=postgres\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = " + std::to_string(port_) +
        "\nunix_socket_dir =\nauth_type = any\npool_mode = " + pool_mode + "\n";
    process::settings program;
    // Where Debian puts it is not in every account's PATH.
    program.arguments = {"/usr/sbin/pgbouncer", folder_.write("pgbouncer.ini", settings)};
    program.unprivileged = true;
    process_ = std::make_unique<process>(std::move(program));
    const std::string where = url();
    const bool accepts =
        eventually([&] { return process_->try_wait().has_value() || PQping(where.c_str()) == PQPING_OK; });
    if (!accepts || process_->try_wait())
        throw std::runtime_error("pgbouncer does not accept connections; its log:\n" + process_->output());
}

std::string pgbouncer::url() const {
    return "postgresql://postgres@127.0.0.1:" + std::to_string(port_) + "/postgres";
}

}  // namespace postrider::support
