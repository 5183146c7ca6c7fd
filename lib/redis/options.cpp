#include "redis/options.hpp"

#include <algorithm>

#include "net/asio.hpp"
#include "redis/url.hpp"

namespace postrider::redis {
namespace {

core::failure wrong(std::string words) {
    return {core::errc::invalid_input, "the Redis URL is wrong: " + std::move(words)};
}

core::failure wrong_database() {
    return wrong(
        "the database is not a number from 0 to 65535; it stands behind the host, as in "
        "redis://localhost:6379/0, or in ?db=0");
}

core::result<void> read_credentials(const url_parts& parts, options& o) {
    const auto user = percent_decoded(parts.user);
    const auto password = percent_decoded(parts.password);
    if (!user || !password)
        return wrong("user or password hold a '%' without two hexadecimal digits; write a plain '%' as %25");
    o.user = *user;
    o.password = *password;
    return core::result<void>();
}

core::result<void> read_host(const url_parts& parts, options& o) {
    const auto host = percent_decoded(parts.host);
    if (parts.host.empty()) return wrong("the host is missing; write for example redis://localhost:6379/0");
    if (!host || !is_host(*host)) return wrong("the host holds characters that no host name has");
    if (parts.in_brackets) {
        error_code not_an_address;
        asio::ip::make_address_v6(*host, not_an_address);
        if (not_an_address) return wrong("what stands in the brackets is not an IPv6 address");
    } else if (host->find(':') != std::string::npos) {
        return wrong("an IPv6 address stands in brackets: redis://[::1]:6379/0");
    }
    o.host = *host;
    if (!parts.port) return core::result<void>();
    const auto port = number(*parts.port, 65'535);
    // Its text is not shown: where the '@' was forgotten, it is the password.
    if (!port || *port == 0)
        return wrong(
            "the port is not a number from 1 to 65535; write host:port, with user and password "
            "before an '@': redis://user:password@host:6379/0");
    o.port = static_cast<std::uint16_t>(*port);
    return core::result<void>();
}

core::result<void> read_socket(const url_parts& parts, options& o) {
    constexpr std::size_t longest_path = 107;  // sockaddr_un, with its closing zero
    if (!parts.host.empty() || parts.port)
        return wrong("a Unix socket has a path and no host; write unix:///run/redis/redis.sock");
    const auto path = percent_decoded(parts.path);
    if (!path) return wrong("the path holds a '%' without two hexadecimal digits; write a plain '%' as %25");
    if (path->size() < 2) return wrong("the socket's path is missing; write unix:///run/redis/redis.sock");
    if (path->size() > longest_path) return wrong("the socket's path is longer than 107 bytes");
    if (path->find('\0') != std::string::npos) return wrong("the socket's path holds a zero byte");
    o.unix_path = *path;
    return core::result<void>();
}

core::result<void> read_parameter(std::string_view name, std::string value, options& o) {
    if (name == "db") {
        const auto database = number(value, 65'535);
        if (!database) return wrong_database();
        o.database = *database;
    } else if (name == "ssl_cert_reqs") {
        if (value != "required" && value != "none")
            return wrong("ssl_cert_reqs is neither 'required' nor 'none'");
        o.verify = value == "none" ? verification::none : verification::required;
    } else if (name == "ssl_ca_certs") {
        o.ca_file = std::move(value);
    } else if (name == "ssl_certfile") {
        o.cert_file = std::move(value);
    } else if (name == "ssl_keyfile") {
        o.key_file = std::move(value);
    } else {
        return wrong(
            "a parameter behind the '?' is unknown; known are db, ssl_cert_reqs, ssl_ca_certs, "
            "ssl_certfile and ssl_keyfile");
    }
    if (name.starts_with("ssl_") && !o.tls)
        return wrong("parameters named ssl_… need TLS; write rediss:// for it");
    return core::result<void>();
}

core::result<void> read_query(const url_parts& parts, options& o) {
    for (std::string_view rest = parts.query; !rest.empty();) {
        const std::string_view one = rest.substr(0, rest.find('&'));
        rest.remove_prefix(std::min(rest.size(), one.size() + 1));
        const auto equals = one.find('=');
        if (equals == std::string_view::npos || equals + 1 == one.size())
            return wrong("a parameter behind the '?' has no value; write name=value");
        auto value = percent_decoded(one.substr(equals + 1));
        if (!value || value->find('\0') != std::string::npos)
            return wrong("a parameter behind the '?' holds a '%' without two hexadecimal digits");
        if (auto read = read_parameter(one.substr(0, equals), std::move(*value), o); !read) return read;
    }
    if (o.cert_file.empty() != o.key_file.empty())
        return wrong("ssl_certfile and ssl_keyfile only work together");
    return core::result<void>();
}

core::result<void> read_database(const url_parts& parts, options& o) {
    if (parts.path.size() < 2) return core::result<void>();
    const auto database = number(parts.path.substr(1), 65'535);
    if (!database) return wrong_database();
    o.database = *database;
    return core::result<void>();
}

}  // namespace

core::result<options> parse_url(std::string_view url) {
    const auto parts = split_url(url);
    if (!parts) return wrong(parts.error().message);
    const bool socket = parts->scheme == "unix";
    if (!socket && parts->scheme != "redis" && parts->scheme != "rediss")
        return wrong("it starts with none of redis://, rediss:// (with TLS) and unix://");

    options o;
    o.tls = parts->scheme == "rediss";
    if (auto read = read_credentials(*parts, o); !read) return read.error();
    auto place = socket ? read_socket(*parts, o) : read_host(*parts, o);
    if (!place) return place.error();
    // A database in the query wins over one in the path, as in redis-py.
    if (!socket) {
        if (auto read = read_database(*parts, o); !read) return read.error();
    }
    if (auto read = read_query(*parts, o); !read) return read.error();
    return o;
}

std::string describe(const options& o) {
    const std::string database = std::to_string(o.database);
    if (!o.unix_path.empty()) return "unix://" + o.unix_path + "?db=" + database;
    const std::string scheme = o.tls ? "rediss://" : "redis://";
    const bool ipv6 = o.host.find(':') != std::string::npos;
    const std::string host = ipv6 ? '[' + o.host + ']' : o.host;
    return scheme + host + ':' + std::to_string(o.port) + '/' + database;
}

}  // namespace postrider::redis
