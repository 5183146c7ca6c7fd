#include "redis/url_place.hpp"

#include <algorithm>

#include "net/asio.hpp"

namespace postrider::redis {
namespace {

constexpr std::uint16_t server_port = 6379;
constexpr std::uint16_t sentinel_port = 26379;

core::result<address> read_place(std::string_view text, std::uint16_t usual_port) {
    const auto place = split_place(text);
    if (!place) return wrong_url(place.error().message);
    const auto host = percent_decoded(place->host);
    if (place->host.empty())
        return wrong_url("the host is missing; write for example redis://localhost:6379/0");
    if (!host || !is_host(*host)) return wrong_url("the host holds characters that no host name has");
    if (place->in_brackets) {
        error_code not_an_address;
        asio::ip::make_address_v6(*host, not_an_address);
        if (not_an_address) return wrong_url("what stands in the brackets is not an IPv6 address");
    } else if (host->find(':') != std::string::npos) {
        return wrong_url("an IPv6 address stands in brackets: redis://[::1]:6379/0");
    }
    if (!place->port) return address{*host, usual_port};
    const auto port = number(*place->port, 65'535);
    // Its text is not shown: where the '@' was forgotten, it is the password.
    if (!port || *port == 0)
        return wrong_url(
            "the port is not a number from 1 to 65535; write host:port, with user and password "
            "before an '@': redis://user:password@host:6379/0");
    return address{*host, static_cast<std::uint16_t>(*port)};
}

core::result<std::vector<address>> read_places(std::string_view text, std::uint16_t usual_port) {
    std::vector<address> all;
    for (std::size_t at = 0; at <= text.size();) {
        const auto end = std::min(text.find(',', at), text.size());
        auto one = read_place(text.substr(at, end - at), usual_port);
        if (!one) return one.error();
        all.push_back(std::move(*one));
        at = end + 1;
    }
    return all;
}

core::result<void> read_path_database(std::string_view path, options& o) {
    if (path.size() < 2) return core::result<void>();
    const auto database = read_database(path.substr(1));
    if (!database) return database.error();
    o.database = *database;
    return core::result<void>();
}

}  // namespace

core::failure wrong_url(std::string words) {
    return {core::errc::invalid_input, "the Redis URL is wrong: " + std::move(words)};
}

core::result<unsigned> read_database(std::string_view digits) {
    const auto database = number(digits, 65'535);
    if (database) return *database;
    return wrong_url(
        "the database is not a number from 0 to 65535; it stands behind the host, as in "
        "redis://localhost:6379/0, or in ?db=0");
}

core::result<void> read_single(const url_parts& parts, options& o) {
    if (parts.place.find(',') != std::string_view::npos)
        return wrong_url(
            "several hosts are for sentinels and clusters; write redis+sentinel://host1,host2/name/0 or "
            "redis+cluster://host1,host2");
    auto place = read_place(parts.place, server_port);
    if (!place) return place.error();
    o.host = std::move(place->host);
    o.port = place->port;
    return read_path_database(parts.path, o);
}

core::result<void> read_socket(const url_parts& parts, options& o) {
    constexpr std::size_t longest_path = 107;  // sockaddr_un, with its closing zero
    if (!parts.place.empty())
        return wrong_url("a Unix socket has a path and no host; write unix:///run/redis/redis.sock");
    const auto path = percent_decoded(parts.path);
    if (!path)
        return wrong_url("the path holds a '%' without two hexadecimal digits; write a plain '%' as %25");
    if (path->size() < 2)
        return wrong_url("the socket's path is missing; write unix:///run/redis/redis.sock");
    if (path->size() > longest_path) return wrong_url("the socket's path is longer than 107 bytes");
    if (path->find('\0') != std::string::npos) return wrong_url("the socket's path holds a zero byte");
    o.unix_path = *path;
    return core::result<void>();
}

core::result<void> read_sentinels(const url_parts& parts, options& o) {
    auto seeds = read_places(parts.place, sentinel_port);
    if (!seeds) return seeds.error();
    o.seeds = std::move(*seeds);
    const auto path = parts.path.substr(std::min<std::size_t>(parts.path.size(), 1));
    const auto name_end = std::min(path.find('/'), path.size());
    const auto name = percent_decoded(path.substr(0, name_end));
    if (name_end == 0 || !name)
        return wrong_url(
            "the primary's name is missing; write what the sentinels call it: "
            "redis+sentinel://host:26379/mymaster/0");
    const bool plain = std::all_of(name->begin(), name->end(), [](char c) { return c > ' ' && c != '\x7f'; });
    if (!plain) return wrong_url("the primary's name holds a space, a control character or no ASCII");
    o.primary_name = *name;
    o.mode = topology::sentinel;
    return read_path_database(path.substr(name_end), o);
}

core::result<void> read_cluster(const url_parts& parts, options& o) {
    auto seeds = read_places(parts.place, server_port);
    if (!seeds) return seeds.error();
    o.seeds = std::move(*seeds);
    o.mode = topology::cluster;
    return read_path_database(parts.path, o);
}

}  // namespace postrider::redis
