#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.hpp"
#include "redis/address.hpp"

namespace postrider::redis {

enum class verification { required, none };

// One server, the primary that sentinels name, or the nodes of a cluster.
enum class topology { single, sentinel, cluster };

// Where Redis is and how to speak to it.
struct options {
    std::string host = "localhost";
    std::uint16_t port = 6379;
    std::string unix_path;  // instead of host and port, where not empty
    bool tls = false;
    std::string user;
    std::string password;
    unsigned database = 0;
    topology mode = topology::single;
    // Instead of host and port: the sentinels, or some nodes of the cluster; one that answers is enough.
    std::vector<address> seeds;
    std::string primary_name;  // what the sentinels call it
    std::string sentinel_user;
    std::string sentinel_password;
    bool must_be_primary = false;  // a replica is left: ROLE is asked with the first commands and each ping
    // A push counts as delivered when so many replicas have it (WAIT); 0: when the primary has it.
    unsigned wait_replicas = 0;
    std::chrono::milliseconds wait_timeout{1'000};
    // A target that fails so often within the window is left alone for a while (pusher.hpp).
    unsigned breaker_failures = 5;
    std::chrono::milliseconds breaker_window{30'000};
    std::chrono::milliseconds breaker_open{5'000};
    verification verify = verification::required;
    std::string ca_file;      // PEM; empty: the system's
    std::string server_name;  // for SNI and verification; empty: host
    std::string cert_file;    // client certificate, PEM; empty: none
    std::string key_file;
    std::string client_name = "postrider";
    std::chrono::milliseconds connect_timeout{5'000};
    std::chrono::milliseconds command_timeout{5'000};
    std::chrono::milliseconds ping_interval{10'000};
    std::chrono::milliseconds backoff_first{1'000};
    std::chrono::milliseconds backoff_cap{30'000};
};

// Reads redis://[user[:password]@]host[:port][/database], rediss://… and unix://[user:password@]/path[?db=N];
// redis+sentinel://[user:password@]host1[:26379],host2…/primary[/database] and
// redis+cluster://[user:password@] host1[:6379],host2…, both also as rediss+…; percent-encoding is resolved;
// IPv6 hosts stand in brackets. Query parameters: db, ssl_cert_reqs (required|none), ssl_ca_certs,
// ssl_certfile, ssl_keyfile, sentinel_user, sentinel_password. Errors say which part is wrong and how to mend
// it, never the password.
core::result<options> parse_url(std::string_view url);

// "redis://host:6379/0", without user and password: for logs and endpoints.
std::string describe(const options& o);

// "single", "sentinel" or "cluster".
std::string_view name(topology mode);

}  // namespace postrider::redis
