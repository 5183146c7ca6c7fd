#include <doctest/doctest.h>

#include "running_postrider.hpp"
#include "servers.hpp"

namespace postrider::test {
namespace {

constexpr const char* postgres = "postgresql://postgres@127.0.0.1:1/postgres";
constexpr const char* redis = "redis://127.0.0.1:1";

constexpr const char* misspelt_setting = R"([redis]
command_timout = "5s"
)";
constexpr const char* misspelt_rule = R"([[route]]
name = "a"
channel = "a"
policy = "group"
key = "/k"
to = "list"
windwo = "3s"
)";

// Starts where the configuration is wrong, and gives what it said.
std::string refusal(postrider_settings wanted, const std::string& command = "run") {
    running_postrider program(std::move(wanted), command);
    CHECK(program.ends() == 2);
    return program.log();
}

TEST_CASE("a URL that is none is refused with status 2, and its password is not shown") {
    CHECK(refusal({.postgres_url = "mysql://app:hunter2@db/x", .redis_url = redis}) ==
          "postrider: POSTGRES_URL: starts with neither postgresql:// nor postgres://; write for example "
          "postgresql://user:password@host:5432/database\n");
    CHECK(refusal({.postgres_url = postgres, .redis_url = "http://:hunter2@localhost"}) ==
          "postrider: REDIS_URL: the Redis URL is wrong: it starts with none of redis://, rediss:// (with "
          "TLS), unix://, redis+sentinel://, rediss+sentinel://, redis+cluster:// and rediss+cluster://\n");
    CHECK(refusal({.postgres_url = postgres, .redis_url = "redis://:hunter2@localhost:port"}) ==
          "postrider: REDIS_URL: the Redis URL is wrong: the port is not a number from 1 to 65535; write "
          "host:port, with "
          "user and password before an '@': redis://user:password@host:6379/0\n");
}

TEST_CASE("who reads JSON gets a refusal as JSON, a line for each mistake") {
    const auto said =
        refusal({.postgres_url = "mysql://app:hunter2@db/x", .environment = {{"LOG_FORMAT", "json"}}});
    CHECK(said.starts_with(R"({"severity":"ERROR","time":"2)"));
    CHECK(said.find(R"(","message":"POSTGRES_URL: starts with neither)") != std::string::npos);
    CHECK(said.find("\"}\n{\"severity\":\"ERROR\"") != std::string::npos);
    CHECK(said.find("hunter2") == std::string::npos);
}

TEST_CASE("missing URLs are all named at once") {
    CHECK(refusal({}) ==
          "postrider: POSTGRES_URL is not set; write for example "
          "POSTGRES_URL=postgresql://user:password@host:5432/database\n"
          "postrider: REDIS_URL is not set; write for example REDIS_URL=redis://localhost:6379/0\n");
}

TEST_CASE("an unknown key in the file is refused, and the nearest known one named") {
    CHECK(refusal({.postgres_url = postgres, .redis_url = redis, .file = misspelt_setting})
              .ends_with("/postrider.toml:2: unknown key 'command_timout' in [redis], did you mean "
                         "'command_timeout'?\n"));
    CHECK(refusal({.postgres_url = postgres, .redis_url = redis, .file = misspelt_rule})
              .ends_with("/postrider.toml:7: unknown key 'windwo' in [[route]], did you mean 'window'?\n"));
}

TEST_CASE("a wrong variable, a wrong flag and a missing file are refused as well") {
    CHECK(refusal({.postgres_url = postgres,
                   .redis_url = redis,
                   .environment = {{"GROUPING_DELAY", "soon"}, {"LOG_LEVEL", "loud"}}}) ==
          "postrider: LOG_LEVEL=\"loud\": not one of trace, debug, info, warning, error, critical\n"
          "postrider: GROUPING_DELAY=\"soon\": not a duration; write for example 15, 15s, 250ms or 2m\n");
    CHECK(refusal({.postgres_url = postgres,
                   .redis_url = redis,
                   .environment = {{"POSTRIDER_CONFIG", "/nowhere/postrider.toml"}}}) ==
          "postrider: /nowhere/postrider.toml: cannot be read: No such file or directory; name a readable "
          "file with "
          "--config or POSTRIDER_CONFIG\n");
    CHECK(refusal({.postgres_url = postgres, .redis_url = redis}, "walk") ==
          "postrider: unexpected argument 'walk'; see postrider --help\n");
}

TEST_CASE("check refuses a wrong configuration with the same words") {
    CHECK(refusal({.postgres_url = "mysql://db/x", .redis_url = redis}, "check")
              .starts_with("postrider: POSTGRES_URL: starts with neither"));
}

}  // namespace
}  // namespace postrider::test
