#pragma once

#include "service/configuration.hpp"

namespace postrider::service {

// Serves until SIGTERM or SIGINT; returns the process's exit status: 0 after an ordered stop, 1 when a part
// of it failed in a way that only a restart mends.
int run(const configuration& c);

// Tries the configuration for real: both servers, and a notification to itself through the very connection
// string. Prints one line a finding on standard output; 0 when all is well, 1 otherwise.
int check(const configuration& c);

}  // namespace postrider::service
