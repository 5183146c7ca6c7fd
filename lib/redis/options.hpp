#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/error.hpp"

namespace postrider::redis {

enum class verification { required, none };

// Where Redis is and how to speak to it.
struct options {
    std::string host = "localhost";
    std::uint16_t port = 6379;
    std::string unix_path;  // instead of host and port, where not empty
    bool tls = false;
    std::string user;
    std::string password;
    unsigned database = 0;
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
// percent-encoding is resolved; IPv6 hosts stand in brackets. Query parameters: db, ssl_cert_reqs
// (required|none), ssl_ca_certs, ssl_certfile, ssl_keyfile. Errors say which part is wrong and how to mend
// it, never the password.
core::result<options> parse_url(std::string_view url);

// "redis://host:6379/0", without user and password: for logs and endpoints.
std::string describe(const options& o);

}  // namespace postrider::redis
