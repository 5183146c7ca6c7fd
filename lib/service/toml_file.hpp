#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/error.hpp"

namespace postrider::service {

// What stands behind a key, as text: one value, several, or names with values in the order of the file.
struct file_value {
    enum class kind { one, list, table };
    std::string key;
    unsigned line = 0;
    file_value::kind shape = kind::one;
    std::string text;                                        // one
    std::vector<std::pair<std::string, std::string>> items;  // list (without names) and table
};

struct file_table {
    std::string name;
    unsigned line = 0;
    std::vector<file_value> values;  // in the order of the file

    // nullptr: no such key.
    const file_value* find(std::string_view key) const;
};

struct toml_file {
    std::string path;                // as it was given
    std::vector<file_table> tables;  // [postgres], [redis] …
    std::vector<file_table> routes;  // [[route]]

    const file_table* find(std::string_view table) const;
    // "postrider.toml:12"
    std::string place(unsigned line) const;
};

// The file has the tables [postgres], [redis], [http], [log] and [context], whose keys are listed in
// settings.cpp, and one [[route]] for each route, described in route_table.hpp:
//
//   [postgres]
//   url = "postgresql://user:password@host:5432/database"
//   connect_timeout = "10s"
//   heartbeat = "10s"               # of quiet, before one is sent
//   heartbeat_timeout = "4s"        # for its answer
//   backoff_first = "1s"            # before the first attempt to connect again
//   backoff_cap = "30s"             # doubled from attempt to attempt up to here
//
//   [redis]
//   url = "rediss://user:password@host:6379/0"
//   connect_timeout = "5s"
//   command_timeout = "5s"
//   ping_interval = "10s"
//   backoff_first = "1s"
//   backoff_cap = "30s"
//   verify = "required"             # or "none"
//   ca_file = "ca.pem"              # default: the system's
//   cert_file = "client.pem"        # with key_file
//   key_file = "client.key"
//   server_name = "redis.example"   # default: the URL's host
//   client_name = "postrider"
//
//   [http]
//   address = "0.0.0.0"
//   port = 8080                     # 0: any free port
//   admin_token = "…"               # default: none
//
//   [log]
//   level = "info"                  # trace, debug, info, warning, error, critical
//   format = "text"                 # or "json"
//
//   [context]
//   ttl = "1d"                      # of open groups in Redis; raised to at least a day
//
// Reads TOML 1.0 (https://toml.io/en/v1.0.0) of at most 1 MiB. Numbers, booleans and dates become text, so
// that a setting is read by the same rules wherever it stands. Errors: one line each, with file and line.
core::result<toml_file> parse_toml(std::string_view text, std::string path);

// The same from a file.
core::result<toml_file> read_toml_file(const std::string& path);

}  // namespace postrider::service
