#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/clock.hpp"
#include "core/error.hpp"
#include "core/log.hpp"
#include "event/route.hpp"
#include "redis/names.hpp"
#include "redis/options.hpp"

namespace postrider::service {

using core::log_format;

// Everything the service is told; built from the defaults, the TOML file, the environment and the flags, each
// over the one before.
struct configuration {
    std::string name{redis::default_bridge};  // one process of a name leads, the others stand by
    std::string postgres_url;
    core::milliseconds postgres_connect_timeout{10'000};
    core::milliseconds postgres_heartbeat{10'000};         // of quiet, before a heartbeat is sent
    core::milliseconds postgres_heartbeat_timeout{4'000};  // for its answer
    core::milliseconds postgres_backoff_first{1'000};      // before the first attempt to connect again
    core::milliseconds postgres_backoff_cap{30'000};       // doubled from attempt to attempt up to here
    redis::options redis;
    std::size_t redis_buffer_bytes = 64 << 20;  // what may wait for Redis in memory
    std::string http_address = "0.0.0.0";
    std::uint16_t http_port = 8080;  // 0: any free port, named in the log
    std::string admin_token;         // empty: none
    std::string log_level = "info";  // a name that core::log_level_name returns
    core::log_format log_format = core::log_format::text;
    core::milliseconds context_ttl{24LL * 3600 *
                                   1000};  // at least a day, and twice the longest wait of a route
    std::vector<event::route> routes;      // at least one, each complete and valid
    std::vector<std::string> warnings;     // for the log, once it is set up
};

using environment = std::map<std::string, std::string, std::less<>>;

// What the command line says; an empty optional was not given.
struct flags {
    std::string config_file;
    std::optional<std::string> postgres_url, redis_url, log_level, log_format;
    std::optional<std::uint16_t> port;
    bool needs_postgres = true;  // false: the command does without, so POSTGRES_URL may be missing
    bool needs_redis = true;     // the same for REDIS_URL
};

// Reads the file named by flags or POSTRIDER_CONFIG and puts everything together; a variable that is set but
// empty counts as not set. Errors (invalid_input) are one or more lines, all that are wrong at once, each:
// where (file and line, variable or flag), what is wrong, how to mend it. Secrets are never shown.
core::result<configuration> load_configuration(const flags& given, const environment& variables);

// This process's environment.
environment current_environment();

}  // namespace postrider::service
