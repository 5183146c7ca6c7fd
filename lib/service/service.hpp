#pragma once

#include <string>

#include "service/configuration.hpp"

namespace postrider::service {

// Serves until SIGTERM or SIGINT; returns the process's exit status: 0 after an ordered stop, 1 when a part
// of it failed in a way that only a restart mends.
int run(const configuration& c);

// Tries the configuration for real: both servers, and a notification to itself through the very connection
// string. Prints one line a finding on standard output; 0 when all is well, 1 otherwise.
int check(const configuration& c);

// Asks the service that runs with this configuration on this machine for GET /health/liveness, within 3 s.
// Prints what it found on standard output: 0 when the answer is 200, 1 otherwise. An http.address of 0.0.0.0
// or
// :: is asked over loopback; port 0 cannot be asked, for only the service's log knows the port.
int health(const configuration& c);

// Prints the SQL of the schema `postrider` on standard output, with the rights for this role (empty: none).
int print_schema(const std::string& grant_to);

// Runs that SQL in one transaction and says on standard output what was done; 0, or 1 where Postgres refused.
int apply_schema(const configuration& c, const std::string& grant_to);

}  // namespace postrider::service
