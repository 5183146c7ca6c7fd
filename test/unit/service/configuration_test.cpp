#include "service/configuration.hpp"

#include "configuration_fixture.hpp"

using namespace postrider;
using namespace postrider::service;
using namespace std::chrono_literals;

TEST_CASE("with nothing but two URLs the defaults stand") {
    const auto c = loaded(servers());
    CHECK(c.postgres_url == "postgresql://u:pw@db/chat");
    CHECK(c.postgres_connect_timeout == 10s);
    CHECK(c.redis.host == "cache");
    CHECK(c.redis.connect_timeout == 5s);
    CHECK(c.redis.command_timeout == 5s);
    CHECK(c.redis.ping_interval == 10s);
    CHECK(c.http_address == "0.0.0.0");
    CHECK(c.http_port == 8080);
    CHECK(c.admin_token.empty());
    CHECK(c.log_level == "info");
    CHECK(c.log_format == log_format::text);
    CHECK(c.context_ttl == 24h);
    CHECK(c.redis_buffer_bytes == 64 << 20);
    CHECK(c.warnings.empty());
    CHECK(c.routes.size() == 2);
}

TEST_CASE("missing URLs are named both at once, with an example") {
    CHECK(refused({}) ==
          "POSTGRES_URL is not set; write for example "
          "POSTGRES_URL=postgresql://user:password@host:5432/database\n"
          "REDIS_URL is not set; write for example REDIS_URL=redis://localhost:6379/0");
    CHECK(refused(with("REDIS_URL", "")) ==
          "REDIS_URL is not set; write for example REDIS_URL=redis://localhost:6379/0");
}

TEST_CASE("a value without anything in it is not taken for one") {
    flags f;
    f.postgres_url = "";
    CHECK(refused(servers(), f) == "--postgres-url: is empty; write a value or leave it out");
    CHECK(refused(with("POSTGRES_URL", "  ")) == "POSTGRES_URL: is empty; write a value or leave it out");
}

TEST_CASE("the first Postgres variable that is set and not empty counts") {
    environment v{{"REDIS_URL", "redis://cache"}, {"POSTGRES_CONNECTION_STRING", "host=third"}};
    CHECK(loaded(v).postgres_url == "host=third");
    v["DATABASE_URL"] = "host=second";
    CHECK(loaded(v).postgres_url == "host=second");
    v["POSTGRES_URL"] = "";
    CHECK(loaded(v).postgres_url == "host=second");
    v["POSTGRES_URL"] = "host=first";
    CHECK(loaded(v).postgres_url == "host=first");
    v["DATABASE_URL"] = "nonsense";
    CHECK(loaded(v).postgres_url == "host=first");
}

TEST_CASE("the environment's variables reach their places") {
    auto v = servers();
    v["REDIS_CONNECT_TIMEOUT"] = "1500ms";
    v["REDIS_SOCKET_TIMEOUT"] = "2";
    v["REDIS_HEALTH_CHECK_INTERVAL"] = "1m";
    v["REDIS_SSL_CERT_REQS"] = "none";
    v["PORT"] = "0";
    v["LOG_LEVEL"] = "WARN";
    v["LOG_FORMAT"] = "JSON";
    v["ADMIN_TOKEN"] = "t0ken";
    v["CONTEXT_TTL"] = "2d";
    v["POSTRIDER_SOURCE"] = "notify";
    const auto c = loaded(v);
    CHECK(c.redis.connect_timeout == 1500ms);
    CHECK(c.redis.command_timeout == 2s);
    CHECK(c.redis.ping_interval == 1min);
    CHECK(c.redis.verify == redis::verification::none);
    CHECK(c.http_port == 0);
    CHECK(c.log_level == "warning");
    CHECK(c.log_format == log_format::json);
    CHECK(c.admin_token == "t0ken");
    CHECK(c.context_ttl == 48h);
    CHECK(c.warnings.empty());
}

TEST_CASE("what cannot be read is refused in words that mend it") {
    const auto says = [](std::string name, std::string value) { return refused(with(name, value)); };
    CHECK(says("GROUPING_DELAY", "abc") ==
          "GROUPING_DELAY=\"abc\": not a duration; write for example 15, 15s, 250ms or 2m");
    CHECK(says("GROUPING_DELAY", "0") == "GROUPING_DELAY=\"0\": must be longer than 0");
    CHECK(says("PUSH_COOLDOWN", "-5") ==
          "PUSH_COOLDOWN=\"-5\": not a duration; write for example 15, 15s, 250ms or 2m");
    CHECK(says("MIN_DELAY_MINUTES", "soon") ==
          "MIN_DELAY_MINUTES=\"soon\": not a duration; write for example 15 (minutes), 90s, 2m or 1h");
    CHECK(says("CONTEXT_TTL", "11 years") ==
          "CONTEXT_TTL=\"11 years\": not a duration; write for example 15, 15s, 250ms or 2m");
    CHECK(says("REDIS_SOCKET_TIMEOUT", "9999999999") ==
          "REDIS_SOCKET_TIMEOUT=\"9999999999\": longer than 10 years; write a shorter duration");
    CHECK(says("TEST_MODE", "maybe") == "TEST_MODE=\"maybe\": neither true nor false; write one of the two");
    CHECK(says("INITIATION_PROBABILITY", "50%") ==
          "INITIATION_PROBABILITY=\"50%\": not a probability; write a number from 0 to 1, for example 0.5");
    CHECK(says("PORT", "65536") == "PORT=\"65536\": not a port; write a number from 0 to 65535");
    CHECK(says("LOG_LEVEL", "inof") ==
          "LOG_LEVEL=\"inof\": not one of trace, debug, info, warning, error, "
          "critical; did you mean 'info'?");
    CHECK(says("LOG_FORMAT", "xml") == "LOG_FORMAT=\"xml\": not one of text, json");
    CHECK(says("REDIS_SSL_CERT_REQS", "never") == "REDIS_SSL_CERT_REQS=\"never\": not one of required, none");
    CHECK(says("REDIS_SSL_CA_CERTS", "/nowhere/ca.pem") ==
          "REDIS_SSL_CA_CERTS=\"/nowhere/ca.pem\": not a file that can be read; name a PEM file");
    CHECK(says("POSTRIDER_SOURCE", "outbox") ==
          "POSTRIDER_SOURCE=\"outbox\": this version reads from 'notify' "
          "only; leave the variable out or set it to notify");
    CHECK(says("POSTRIDER_SOURCE", "wal").find("this version reads from 'notify' only") != std::string::npos);
    CHECK(says("POSTRIDER_SOURCE", "outbx") ==
          "POSTRIDER_SOURCE=\"outbx\": not one of notify, outbox, wal; did you mean 'outbox'?");
}

TEST_CASE("bad URLs are refused without showing them") {
    CHECK(refused(with("POSTGRES_URL", "mysql://u:s3cret@h/d")) ==
          "POSTGRES_URL: starts with neither postgresql:// nor postgres://; write for example "
          "postgresql://user:password@host:5432/database");
    const auto redis = refused(with("REDIS_URL", "http://u:s3cret@h"));
    CHECK(redis.starts_with("REDIS_URL: "));
    CHECK(redis.find("s3cret") == std::string::npos);
    CHECK(refused(with("ADMIN_TOKEN", "two words")) ==
          "ADMIN_TOKEN: must be at most 256 letters, digits and marks, without blanks");
}

TEST_CASE("several errors are told at once, one a line") {
    auto v = servers();
    v["GROUPING_DELAY"] = "abc";
    v["PORT"] = "x";
    v.erase("REDIS_URL");
    const auto words = refused(v);
    CHECK(std::count(words.begin(), words.end(), '\n') == 2);
    CHECK(words.find("REDIS_URL is not set") != std::string::npos);
    CHECK(words.find("\nPORT=\"x\": ") != std::string::npos);
    CHECK(words.find("\nGROUPING_DELAY=\"abc\": ") != std::string::npos);
}

TEST_CASE("a long or strange value is shown on one line, cut") {
    CHECK(refused(with("PORT", "1\n2")) == "PORT=\"1\\n2\": not a port; write a number from 0 to 65535");
    CHECK(refused(with("PORT", std::string(5'000, 'x'))).size() < 200);
}

TEST_CASE("flags beat the environment, which beats the file, which beats the defaults") {
    const scratch_folder folder;
    const auto path = folder.write("postrider.toml",
                                   "[http]\nport = 1\n[log]\nlevel = 'debug'\nformat = 'json'\n"
                                   "[redis]\ncommand_timeout = '7s'\n");
    flags f;
    f.config_file = path;
    CHECK(loaded(servers(), f).http_port == 1);
    CHECK(loaded(servers(), f).redis.host == "cache");
    CHECK(loaded(servers(), f).redis.command_timeout == 7s);
    auto v = with("PORT", "2");
    CHECK(loaded(v, f).http_port == 2);
    f.port = 3;
    f.redis_url = "redis://other";
    f.postgres_url = "host=other";
    f.log_level = "error";
    f.log_format = "text";
    const auto c = loaded(v, f);
    CHECK(c.http_port == 3);
    CHECK(c.redis.host == "other");
    CHECK(c.redis.command_timeout == 7s);
    CHECK(c.postgres_url == "host=other");
    CHECK(c.log_level == "error");
    CHECK(c.log_format == log_format::text);
    f.log_format = "xml";
    CHECK(refused(v, f) == "--log-format=\"xml\": not one of text, json");
}

TEST_CASE("the file is named by the flag before the variable") {
    const scratch_folder folder;
    const auto one = folder.write("one.toml", "[http]\nport = 1\n");
    const auto two = folder.write("two.toml", "[http]\nport = 2\n");
    auto v = with("POSTRIDER_CONFIG", one);
    CHECK(loaded(v).http_port == 1);
    flags f;
    f.config_file = two;
    CHECK(loaded(v, f).http_port == 2);
    f.config_file = folder.path("none.toml");
    CHECK(refused(v, f) == f.config_file +
                               ": cannot be read: No such file or directory; name a readable file with "
                               "--config or POSTRIDER_CONFIG");
}

TEST_CASE("a setting of its own refines the Redis URL") {
    auto v = with("REDIS_URL", "rediss://cache?ssl_cert_reqs=none");
    CHECK(loaded(v).redis.verify == redis::verification::none);
    v["REDIS_SSL_CERT_REQS"] = "required";
    CHECK(loaded(v).redis.verify == redis::verification::required);
    v["REDIS_SSL_CERT_REQS"] = "optional";
    const auto c = loaded(v);
    CHECK(c.redis.verify == redis::verification::required);
    CHECK(warns(
        c,
        "REDIS_SSL_CERT_REQS=\"optional\" is taken as \"required\": a server always shows its certificate"));
}

TEST_CASE("certificates are files, come with their key, and want TLS") {
    const scratch_folder folder;
    const auto pem = folder.write("a.pem", "x");
    auto v = with("REDIS_SSL_CERTFILE", pem);
    CHECK(refused(v) ==
          "a client certificate for Redis needs its key: give REDIS_SSL_CERTFILE and "
          "REDIS_SSL_KEYFILE, or neither");
    v["REDIS_SSL_KEYFILE"] = pem;
    v["REDIS_SSL_CA_CERTS"] = pem;
    CHECK(warns(loaded(v), "certificates for Redis have no effect without TLS; write rediss:// for it"));
    v["REDIS_URL"] = "rediss://cache";
    const auto c = loaded(v);
    CHECK(c.warnings.empty());
    CHECK(c.redis.ca_file == pem);
    CHECK(c.redis.cert_file == pem);
    CHECK(c.redis.key_file == pem);
    v["REDIS_SSL_CA_CERTS"] = folder.path("");
    CHECK(refused(v).ends_with("not a file that can be read; name a PEM file"));
}

TEST_CASE("a context lives for a day at least, and is said to where somebody wanted less") {
    const auto c = loaded(with("CONTEXT_TTL", "20"));
    CHECK(c.context_ttl == 24h);
    CHECK(
        warns(c,
              "CONTEXT_TTL: 20 s is raised to 1 d; a context that expires before the bridge is back would be "
              "a lost group"));
    CHECK(loaded(with("CONTEXT_TTL", "86400")).warnings.empty());
    CHECK(loaded(with("GROUPING_DELAY", "13h")).context_ttl == 26h);
    CHECK(loaded(with("MAX_DELAY_MINUTES", "1440")).context_ttl == 48h);
}

TEST_CASE("the process's own environment is read as it is") {
    REQUIRE(::setenv("POSTRIDER_TEST_VARIABLE", "a=b", 1) == 0);
    const auto v = current_environment();
    REQUIRE(v.contains("POSTRIDER_TEST_VARIABLE"));
    CHECK(v.at("POSTRIDER_TEST_VARIABLE") == "a=b");
    CHECK(::unsetenv("POSTRIDER_TEST_VARIABLE") == 0);
}
