#include "service/settings.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "net/asio.hpp"
#include "redis/url.hpp"
#include "service/postgres_url.hpp"
#include "service/values.hpp"

namespace postrider::service {

namespace {

using std::string;
using given = given_value;
constexpr core::milliseconds one_minute{60'000};

string postgres(draft& d, const given& v) {
    auto read = read_postgres_url(v.text);
    if (!read) return read.error().message;
    d.made.postgres_url = std::move(read->text);
    for (const auto& words : read->warnings) {
        d.made.warnings.push_back(v.from + ": " + words);
    }
    return {};
}

string redis_url(draft& d, const given& v) {
    return store(redis::parse_url(v.text), d.made.redis);
}

string wait(core::milliseconds& place, const given& v) {
    return store(read_wait(v.text), place);
}

// Part of a channel's name in Postgres, which has 63 bytes at most.
string service_name(draft& d, const given& v) {
    constexpr std::size_t longest = 40;
    const bool fits = v.text.size() <= longest && std::all_of(v.text.begin(), v.text.end(), [](char c) {
                          return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
                                 c == '_' || c == '.' || c == '-';
                      });
    if (!fits) return "must be 1 to 40 of A-Z a-z 0-9 _ . -";
    d.made.name = v.text;
    return {};
}

// Printable ASCII without blanks: what fits an HTTP header and a Redis client's name.
string token(string& place, const given& v) {
    const bool fits = v.text.size() <= 256 &&
                      std::all_of(v.text.begin(), v.text.end(), [](char c) { return c > ' ' && c < 0x7F; });
    if (!fits) return "must be at most 256 letters, digits and marks, without blanks";
    place = v.text;
    return {};
}

// A certificate or key that cannot be read would fail at every attempt to connect.
string file(string& place, const given& v) {
    std::error_code unknown;
    const std::ifstream in(v.text);
    if (!in || std::filesystem::is_directory(v.text, unknown))
        return "not a file that can be read; name a PEM file";
    place = v.text;
    return {};
}

string verify(draft& d, const given& v) {
    constexpr std::array<std::string_view, 2> words{"required", "none"};
    if (v.text == "optional") {
        d.made.redis.verify = redis::verification::required;
        d.made.warnings.push_back(
            v.from + R"(="optional" is taken as "required": a server always shows its certificate)");
        return {};
    }
    return store_word(v.text, words, d.made.redis.verify);
}

string address(draft& d, const given& v) {
    error_code wrong;
    asio::ip::make_address(v.text, wrong);
    if (wrong) return "not an IP address; write for example 0.0.0.0, 127.0.0.1 or ::";
    d.made.http_address = v.text;
    return {};
}

string log_level(draft& d, const given& v) {
    constexpr std::array<std::string_view, 6> words{"trace", "debug", "info", "warning", "error", "critical"};
    const auto name = core::log_level_name(v.text);
    if (!name) return "not one of " + joined(words) + suggestion(v.text, words);
    d.made.log_level = *name;
    return {};
}

string log_format_word(draft& d, const given& v) {
    constexpr std::array<std::string_view, 2> words{"text", "json"};
    return store_word(v.text, words, d.made.log_format);
}

string wait_replicas(draft& d, const given& v) {
    const auto replicas = redis::number(v.text, 100);
    if (!replicas) return "not a number of replicas from 0 to 100";
    d.made.redis.wait_replicas = *replicas;
    return {};
}

string breaker_failures(draft& d, const given& v) {
    return store(read_count(v.text, 1, 1'000), d.made.redis.breaker_failures);
}

string context_ttl(draft& d, const given& v) {
    d.context_ttl_from = v.from;
    return wait(d.made.context_ttl, v);
}

string source(draft&, const given& v) {
    constexpr std::array<std::string_view, 3> words{"notify", "outbox", "wal"};
    const auto word = read_word(v.text, words);
    if (!word) return word.error().message;
    if (*word != 0)
        return "this version reads from 'notify' only; leave the variable out or set it to notify";
    return {};
}

template <auto Member>
string wait_of(draft& d, const given& v) {
    return wait(d.made.*Member, v);
}
template <auto Member>
string redis_wait(draft& d, const given& v) {
    return wait(d.made.redis.*Member, v);
}
template <auto Member>
string redis_file(draft& d, const given& v) {
    return file(d.made.redis.*Member, v);
}
template <auto Member>
string redis_token(draft& d, const given& v) {
    return token(d.made.redis.*Member, v);
}

// What only the built-in routes know.
template <auto Member, class Read>
string number(draft& d, const given& v, Read read) {
    d.built_in_numbers_from.push_back(v.from);
    return store(read(v.text), d.numbers.*Member);
}
template <auto Member>
string minutes(draft& d, const given& v) {
    return number<Member>(d, v, [](auto text) { return core::parse_duration(text, one_minute); });
}
string window(draft& d, const given& v) {
    return number<&built_in_numbers::window>(d, v, [](auto text) { return read_wait(text); });
}
string cooldown(draft& d, const given& v) {
    return number<&built_in_numbers::cooldown>(d, v, [](auto text) { return core::parse_duration(text); });
}
string test_mode(draft& d, const given& v) {
    return number<&built_in_numbers::test_mode>(d, v, read_switch);
}
string probability(draft& d, const given& v) {
    return number<&built_in_numbers::probability>(d, v, read_probability);
}

string buffer_bytes(draft& d, const given& v) {
    constexpr std::uint64_t kibibyte = 1 << 10;
    return store(read_count(v.text, 64 * kibibyte, 64 * kibibyte * kibibyte), d.made.redis_buffer_bytes);
}
string port(draft& d, const given& v) {
    return store(read_port(v.text), d.made.http_port);
}
string admin_token(draft& d, const given& v) {
    return token(d.made.admin_token, v);
}

constexpr std::string_view no_postgres_url =
    "POSTGRES_URL is not set; write for example POSTGRES_URL=postgresql://user:password@host:5432/database";
constexpr std::string_view no_redis_url =
    "REDIS_URL is not set; write for example REDIS_URL=redis://localhost:6379/0";

using c = configuration;
using o = redis::options;
using numbers = built_in_numbers;

// The file's tables, with the same rules as the variables beside them; [[route]] is in route_table.hpp.
// clang-format off
constexpr setting table[] = {
    {"service", "name", {"POSTRIDER_NAME"}, service_name},
    {"postgres", "url", {"POSTGRES_URL", "DATABASE_URL", "POSTGRES_CONNECTION_STRING"}, postgres,
     "--postgres-url", true, no_postgres_url},
    {"postgres", "connect_timeout", {}, wait_of<&c::postgres_connect_timeout>},
    {"postgres", "heartbeat", {}, wait_of<&c::postgres_heartbeat>},
    {"postgres", "heartbeat_timeout", {}, wait_of<&c::postgres_heartbeat_timeout>},
    {"postgres", "backoff_first", {"POSTGRES_BACKOFF_FIRST"}, wait_of<&c::postgres_backoff_first>},
    {"postgres", "backoff_cap", {"POSTGRES_BACKOFF_CAP"}, wait_of<&c::postgres_backoff_cap>},
    {"redis", "url", {"REDIS_URL"}, redis_url, "--redis-url", true, no_redis_url},
    {"redis", "connect_timeout", {"REDIS_CONNECT_TIMEOUT"}, redis_wait<&o::connect_timeout>},
    {"redis", "command_timeout", {"REDIS_SOCKET_TIMEOUT"}, redis_wait<&o::command_timeout>},
    {"redis", "ping_interval", {"REDIS_HEALTH_CHECK_INTERVAL"}, redis_wait<&o::ping_interval>},
    {"redis", "backoff_first", {"REDIS_BACKOFF_FIRST"}, redis_wait<&o::backoff_first>},
    {"redis", "backoff_cap", {"REDIS_BACKOFF_CAP"}, redis_wait<&o::backoff_cap>},
    {"redis", "wait_replicas", {"REDIS_WAIT_REPLICAS"}, wait_replicas},
    {"redis", "wait_timeout", {"REDIS_WAIT_TIMEOUT"}, redis_wait<&o::wait_timeout>},
    {"redis", "breaker_failures", {"REDIS_BREAKER_FAILURES"}, breaker_failures},
    {"redis", "breaker_window", {"REDIS_BREAKER_WINDOW"}, redis_wait<&o::breaker_window>},
    {"redis", "breaker_open", {"REDIS_BREAKER_OPEN"}, redis_wait<&o::breaker_open>},
    {"redis", "verify", {"REDIS_SSL_CERT_REQS"}, verify},
    {"redis", "ca_file", {"REDIS_SSL_CA_CERTS"}, redis_file<&o::ca_file>},
    {"redis", "cert_file", {"REDIS_SSL_CERTFILE"}, redis_file<&o::cert_file>},
    {"redis", "key_file", {"REDIS_SSL_KEYFILE"}, redis_file<&o::key_file>},
    {"redis", "buffer_bytes", {"REDIS_BUFFER_BYTES"}, buffer_bytes},
    {"redis", "server_name", {}, redis_token<&o::server_name>},
    {"redis", "client_name", {}, redis_token<&o::client_name>},
    {"http", "address", {}, address},
    {"http", "port", {"PORT"}, port, "--port"},
    {"http", "admin_token", {"ADMIN_TOKEN"}, admin_token, "", true},
    {"log", "level", {"LOG_LEVEL"}, log_level, "--log-level"},
    {"log", "format", {"LOG_FORMAT"}, log_format_word, "--log-format"},
    {"context", "ttl", {"CONTEXT_TTL"}, context_ttl},
    {"", "", {"POSTRIDER_SOURCE"}, source},
    {"", "", {"GROUPING_DELAY"}, window},
    {"", "", {"PUSH_COOLDOWN"}, cooldown},
    {"", "", {"TEST_MODE"}, test_mode},
    {"", "", {"INITIATION_PROBABILITY"}, probability},
    {"", "", {"MIN_DELAY_MINUTES"}, minutes<&numbers::min_delay>},
    {"", "", {"MAX_DELAY_MINUTES"}, minutes<&numbers::max_delay>},
};
// clang-format on

}  // namespace

std::span<const setting> all_settings() {
    return table;
}

}  // namespace postrider::service
