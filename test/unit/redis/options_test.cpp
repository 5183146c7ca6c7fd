#include "redis/options.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace postrider;
using redis::describe;
using redis::options;
using redis::parse_url;

namespace {

options good(std::string_view url) {
    CAPTURE(url);
    const auto parsed = parse_url(url);
    REQUIRE_MESSAGE(parsed.has_value(), (parsed ? "" : parsed.error().message));
    return *parsed;
}

}  // namespace

TEST_CASE("hosts, ports and databases are read, with their defaults") {
    struct row {
        const char* url;
        const char* host;
        int port;
        unsigned database;
        bool tls;
        const char* described;
    };
    const std::vector<row> table{
        {"redis://localhost", "localhost", 6379, 0, false, "redis://localhost:6379/0"},
        {"redis://localhost/", "localhost", 6379, 0, false, "redis://localhost:6379/0"},
        {"redis://cache.example.com:6380/5", "cache.example.com", 6380, 5, false,
         "redis://cache.example.com:6380/5"},
        {"rediss://10.0.0.1:1", "10.0.0.1", 1, 0, true, "rediss://10.0.0.1:1/0"},
        {"redis://my_redis:65535/15", "my_redis", 65535, 15, false, "redis://my_redis:65535/15"},
        {"redis://[::1]:7000/1", "::1", 7000, 1, false, "redis://[::1]:7000/1"},
        {"redis://[2001:db8::2]", "2001:db8::2", 6379, 0, false, "redis://[2001:db8::2]:6379/0"},
        {"redis://a?db=3", "a", 6379, 3, false, "redis://a:6379/3"},
        {"redis://a/1?db=3", "a", 6379, 3, false, "redis://a:6379/3"},
        {"redis://a/65535", "a", 6379, 65535, false, "redis://a:6379/65535"},
    };
    for (const row& r : table) {
        const options o = good(r.url);
        CAPTURE(r.url);
        CHECK(o.host == r.host);
        CHECK(o.port == r.port);
        CHECK(o.database == r.database);
        CHECK(o.tls == r.tls);
        CHECK(o.user.empty());
        CHECK(o.password.empty());
        CHECK(o.unix_path.empty());
        CHECK(describe(o) == r.described);
    }
}

TEST_CASE("user and password are read and decoded, and never described") {
    struct row {
        const char* url;
        const char* user;
        const char* password;
    };
    const std::vector<row> table{
        {"redis://bob:secret@h", "bob", "secret"},
        {"redis://:secret@h", "", "secret"},
        {"redis://bob@h", "bob", ""},
        {"redis://bob:@h", "bob", ""},
        {"redis://b%40b:s%2Fe%3a%25@h", "b@b", "s/e:%"},
        {"redis://bob:a:b@h", "bob", "a:b"},
        {"redis://bob:p@ss@h", "bob", "p@ss"},
        {"rediss://bob:secret@[::1]:1/2", "bob", "secret"},
        {"unix://bob:secret@/run/r.sock", "bob", "secret"},
    };
    for (const row& r : table) {
        const options o = good(r.url);
        CAPTURE(r.url);
        CHECK(o.user == r.user);
        CHECK(o.password == r.password);
        CHECK(describe(o).find("secret") == std::string::npos);
        CHECK(describe(o).find("bob") == std::string::npos);
    }
    CHECK(good("redis://bob:p@ss@h").host == "h");
}

TEST_CASE("Unix sockets have a path and a database") {
    const options o = good("unix:///run/my%20redis/redis.sock?db=2");
    CHECK(o.unix_path == "/run/my redis/redis.sock");
    CHECK(o.database == 2);
    CHECK_FALSE(o.tls);
    CHECK(describe(o) == "unix:///run/my redis/redis.sock?db=2");
    CHECK(good("unix:///" + std::string(106, 'x')).unix_path.size() == 107);
}

TEST_CASE("TLS is verified unless the URL says none") {
    CHECK(good("rediss://h").verify == redis::verification::required);
    CHECK(good("rediss://h?ssl_cert_reqs=required").verify == redis::verification::required);
    CHECK(good("rediss://h?ssl_cert_reqs=none").verify == redis::verification::none);
    const options o = good("rediss://h/1?ssl_ca_certs=/etc/ca%26.pem&ssl_certfile=/c.pem&ssl_keyfile=/k.pem");
    CHECK(o.ca_file == "/etc/ca&.pem");
    CHECK(o.cert_file == "/c.pem");
    CHECK(o.key_file == "/k.pem");
    CHECK(o.database == 1);
}

TEST_CASE("sentinels are read with the primary's name, the database and their own credentials") {
    const options o = good(
        "redis+sentinel://bob:s%2Fecret@a,b:26380,[::1]:7000/my%2Fmaster/"
        "3?sentinel_user=w&sentinel_password=p%25");
    CHECK(o.mode == redis::topology::sentinel);
    CHECK(o.seeds == std::vector<redis::address>{{"a", 26379}, {"b", 26380}, {"::1", 7000}});
    CHECK(o.primary_name == "my/master");
    CHECK(o.database == 3);
    CHECK(o.user == "bob");
    CHECK(o.password == "s/ecret");
    CHECK(o.sentinel_user == "w");
    CHECK(o.sentinel_password == "p%");
    CHECK_FALSE(o.tls);
    CHECK(describe(o) == "redis+sentinel://a:26379,b:26380,[::1]:7000/my/master/3");
    CHECK(good("rediss+sentinel://a/m").tls);
    CHECK(good("redis+sentinel://a/m").database == 0);
    CHECK(good("redis+sentinel://a/m/").database == 0);
}

TEST_CASE("a cluster is read as some of its nodes") {
    const options o = good("redis+cluster://:secret@a,b:6380,[2001:db8::2]");
    CHECK(o.mode == redis::topology::cluster);
    CHECK(o.seeds == std::vector<redis::address>{{"a", 6379}, {"b", 6380}, {"2001:db8::2", 6379}});
    CHECK(o.password == "secret");
    CHECK(describe(o) == "redis+cluster://a:6379,b:6380,[2001:db8::2]:6379");
    CHECK(good("rediss+cluster://a/0").tls);
    CHECK(good("redis://a").mode == redis::topology::single);
}

TEST_CASE("a wrong URL says which part is wrong, and never shows the password") {
    struct row {
        std::string url;
        const char* words;
    };
    const std::string brackets = "an IPv6 address stands in brackets";
    const std::vector<row> table{
        {"", "'://' is missing"},
        {"secret", "'://' is missing"},
        {"localhost:6379", "'://' is missing"},
        {"http://h", "none of redis://, rediss://"},
        {"Redis://h", "none of redis://, rediss://"},
        {"redis://", "the host is missing"},
        {"redis://:6379/0", "the host is missing"},
        {"redis://bob:secret@/0", "the host is missing"},
        {"redis://h:", "the port is not a number"},
        {"redis://h:0", "the port is not a number"},
        {"redis://h:65536", "the port is not a number"},
        {"redis://h:99999999999999999999", "the port is not a number"},
        {"redis://h:+1", "the port is not a number"},
        {"redis://h:6379x", "the port is not a number"},
        {"redis://bob:secret", "the port is not a number"},
        {"redis://h/-1", "the database is not a number"},
        {"redis://h/secret", "the database is not a number"},
        {"redis://h/65536", "the database is not a number"},
        {"redis://h/0/1", "the database is not a number"},
        {"redis://h?db=", "has no value"},
        {"redis://h?db", "has no value"},
        {"redis://h?db=x", "the database is not a number"},
        {"redis://h?password=secret", "a parameter behind the '?' is unknown"},
        {"redis://h?ssl_ca_certs=/ca.pem", "need TLS"},
        {"rediss://h?ssl_cert_reqs=secret", "neither 'required' nor 'none'"},
        {"rediss://h?ssl_certfile=/c.pem", "only work together"},
        {"rediss://h?ssl_keyfile=/k.pem", "only work together"},
        {"rediss://h?ssl_ca_certs=%zz", "two hexadecimal digits"},
        {"redis://:sec%ret@h", "two hexadecimal digits"},
        {"redis://:secret%4@h", "two hexadecimal digits"},
        {"redis://:sec/ret@h", "percent-encoded"},
        {"redis://:sec?ret@h", "percent-encoded"},
        {"redis://:sec#ret@h", "percent-encoded"},
        {"redis://h/0#secret", "percent-encoded"},
        {"redis://:sec ret@h", "a space"},
        {"redis://:secr\xc3\xa9t@h", "a letter outside ASCII"},
        {"redis://h\n", "a space"},
        {"redis://h*st", "no host name has"},
        {"redis://h%00", "no host name has"},
        {"redis://" + std::string(256, 'h'), "no host name has"},
        {"redis://::1", brackets.c_str()},
        {"redis://::1:6379/0", brackets.c_str()},
        {"redis://[::1", "has no ']'"},
        {"redis://[::1]6379", "only ':' and a port"},
        {"redis://[secret]", "not an IPv6 address"},
        {"redis://[127.0.0.1]", "not an IPv6 address"},
        {"redis://a,b/0", "several hosts are for sentinels and clusters"},
        {"redis+sentinel://", "the host is missing"},
        {"redis+sentinel://a,/m", "the host is missing"},
        {"redis+sentinel://a", "the primary's name is missing"},
        {"redis+sentinel://a/", "the primary's name is missing"},
        {"redis+sentinel://a//0", "the primary's name is missing"},
        {"redis+sentinel://a/m%0a/0", "the primary's name holds"},
        {"redis+sentinel://a/m/x", "the database is not a number"},
        {"redis+sentinel://a,::1/m", brackets.c_str()},
        {"redis+sentinel://a,b:secret/m", "the port is not a number"},
        {"redis://a?sentinel_password=secret", "need sentinels"},
        {"redis+cluster://a?sentinel_user=bob", "need sentinels"},
        {"redis+cluster://a/1", "a cluster has the database 0 alone"},
        {"redis+cluster://a?db=1", "a cluster has the database 0 alone"},
        {"redis+cluster://a,b:x", "the port is not a number"},
        {"unix://", "the socket's path is missing"},
        {"unix:///", "the socket's path is missing"},
        {"unix://run/redis.sock", "a path and no host"},
        {"unix:///" + std::string(107, 'x'), "longer than 107 bytes"},
        {"unix:///a%00b", "a zero byte"},
        {"redis://h/" + std::string(5000, '0'), "longer than 4096 bytes"},
    };
    for (const row& r : table) {
        CAPTURE(r.url);
        const auto parsed = parse_url(r.url);
        REQUIRE(parsed.has_error());
        const std::string& message = parsed.error().message;
        CAPTURE(message);
        CHECK(parsed.error().code == core::errc::invalid_input);
        CHECK(message.starts_with("the Redis URL is wrong: "));
        CHECK(message.find(r.words) != std::string::npos);
        for (const auto* part : {"secret", "sec/", "sec?", "sec#", "sec%", "sec ", "secr", "bob"})
            CHECK(message.find(part) == std::string::npos);
    }
}
