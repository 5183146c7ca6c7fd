#include "redis/options.hpp"

#include <algorithm>
#include <array>

#include "redis/url.hpp"
#include "redis/url_place.hpp"

namespace postrider::redis {
namespace {

using reading = core::result<void> (*)(const url_parts&, options&);

struct scheme {
    std::string_view name;
    bool tls;
    reading place;
};

constexpr std::array<scheme, 7> schemes{{{"redis", false, read_single},
                                         {"rediss", true, read_single},
                                         {"unix", false, read_socket},
                                         {"redis+sentinel", false, read_sentinels},
                                         {"rediss+sentinel", true, read_sentinels},
                                         {"redis+cluster", false, read_cluster},
                                         {"rediss+cluster", true, read_cluster}}};

core::result<void> read_credentials(const url_parts& parts, options& o) {
    const auto user = percent_decoded(parts.user);
    const auto password = percent_decoded(parts.password);
    if (!user || !password)
        return wrong_url(
            "user or password hold a '%' without two hexadecimal digits; write a plain '%' as %25");
    o.user = *user;
    o.password = *password;
    return core::result<void>();
}

core::result<void> read_parameter(std::string_view name, std::string value, options& o) {
    if (name == "db") {
        const auto database = read_database(value);
        if (!database) return database.error();
        o.database = *database;
    } else if (name == "ssl_cert_reqs") {
        if (value != "required" && value != "none")
            return wrong_url("ssl_cert_reqs is neither 'required' nor 'none'");
        o.verify = value == "none" ? verification::none : verification::required;
    } else if (name == "ssl_ca_certs") {
        o.ca_file = std::move(value);
    } else if (name == "ssl_certfile") {
        o.cert_file = std::move(value);
    } else if (name == "ssl_keyfile") {
        o.key_file = std::move(value);
    } else if (name == "sentinel_user") {
        o.sentinel_user = std::move(value);
    } else if (name == "sentinel_password") {
        o.sentinel_password = std::move(value);
    } else {
        return wrong_url(
            "a parameter behind the '?' is unknown; known are db, ssl_cert_reqs, ssl_ca_certs, "
            "ssl_certfile, ssl_keyfile, sentinel_user and sentinel_password");
    }
    if (name.starts_with("ssl_") && !o.tls)
        return wrong_url("parameters named ssl_… need TLS; write rediss:// for it");
    if (name.starts_with("sentinel_") && o.mode != topology::sentinel)
        return wrong_url("parameters named sentinel_… need sentinels; write redis+sentinel:// for it");
    return core::result<void>();
}

core::result<void> read_query(const url_parts& parts, options& o) {
    for (std::string_view rest = parts.query; !rest.empty();) {
        const std::string_view one = rest.substr(0, rest.find('&'));
        rest.remove_prefix(std::min(rest.size(), one.size() + 1));
        const auto equals = one.find('=');
        if (equals == std::string_view::npos || equals + 1 == one.size())
            return wrong_url("a parameter behind the '?' has no value; write name=value");
        auto value = percent_decoded(one.substr(equals + 1));
        if (!value || value->find('\0') != std::string::npos)
            return wrong_url("a parameter behind the '?' holds a '%' without two hexadecimal digits");
        if (auto read = read_parameter(one.substr(0, equals), std::move(*value), o); !read) return read;
    }
    if (o.cert_file.empty() != o.key_file.empty())
        return wrong_url("ssl_certfile and ssl_keyfile only work together");
    return core::result<void>();
}

std::string seeds_of(const options& o) {
    std::string text;
    for (const auto& seed : o.seeds) {
        if (!text.empty()) text += ',';
        text += to_text(seed);
    }
    return text;
}

}  // namespace

core::result<options> parse_url(std::string_view url) {
    const auto parts = split_url(url);
    if (!parts) return wrong_url(parts.error().message);
    const auto known = std::find_if(schemes.begin(), schemes.end(),
                                    [&](const scheme& s) { return s.name == parts->scheme; });
    if (known == schemes.end())
        return wrong_url(
            "it starts with none of redis://, rediss:// (with TLS), unix://, redis+sentinel://, "
            "rediss+sentinel://, redis+cluster:// and rediss+cluster://");

    options o;
    o.tls = known->tls;
    if (auto read = read_credentials(*parts, o); !read) return read.error();
    if (auto read = known->place(*parts, o); !read) return read.error();
    // A database in the query wins over one in the path, as in redis-py.
    if (auto read = read_query(*parts, o); !read) return read.error();
    if (o.mode == topology::cluster && o.database != 0)
        return wrong_url("a cluster has the database 0 alone; leave the number out");
    return o;
}

std::string describe(const options& o) {
    const std::string database = std::to_string(o.database);
    std::string text = o.tls ? "rediss" : "redis";
    if (!o.unix_path.empty()) return "unix://" + o.unix_path + "?db=" + database;
    switch (o.mode) {
        case topology::sentinel:
            text.append("+sentinel://").append(seeds_of(o)).append("/").append(o.primary_name);
            return text.append("/").append(database);
        case topology::cluster:
            return text.append("+cluster://").append(seeds_of(o));
        case topology::single:
            break;
    }
    return text.append("://").append(to_text({o.host, o.port})).append("/").append(database);
}

std::string_view name(topology mode) {
    switch (mode) {
        case topology::sentinel:
            return "sentinel";
        case topology::cluster:
            return "cluster";
        case topology::single:
            break;
    }
    return "single";
}

}  // namespace postrider::redis
