#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "support/folder.hpp"
#include "support/process.hpp"

namespace postrider::support {

// A private PgBouncer on a free loopback port, before a Postgres that trusts the user "postgres". Failures
// throw std::runtime_error.
class pgbouncer {
 public:
    // pool_mode: "session", "transaction" or "statement". Returns when it accepts connections.
    pgbouncer(std::uint16_t postgres_port, const std::string& pool_mode);

    std::string url() const;  // of the database "postgres"
    std::string output() const { return process_->output(); }

 private:
    temporary_folder folder_;
    std::uint16_t port_;
    std::unique_ptr<process> process_;
};

}  // namespace postrider::support
