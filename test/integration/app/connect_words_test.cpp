#include <doctest/doctest.h>

#include "chat.hpp"
#include "running_postrider.hpp"
#include "servers.hpp"
#include "support/certificates.hpp"
#include "support/ports.hpp"
#include "support/tcp_gate.hpp"

namespace postrider::test {
namespace {

std::string port_text(std::uint16_t port) {
    return std::to_string(port);
}

TEST_CASE("a wrong Redis password is told in Redis' words, and never shown") {
    support::redis_server redis({.password = "right"});
    running_postrider bridge({.postgres_url = shared_postgres().url(),
                              .redis_url = "redis://:hunter2@127.0.0.1:" + port_text(redis.port())});
    INFO(bridge.end_of_log());
    CHECK(bridge.logs("attempt 1 failed: Redis refused the password in REDIS_URL (WRONGPASS "));
    CHECK(bridge.log().find("hunter2") == std::string::npos);
    CHECK(bridge.get("/health/readiness").status == 503);
    CHECK(bridge.get("/health").status == 200);
}

TEST_CASE("a missing Redis password is told") {
    support::redis_server redis({.password = "right"});
    running_postrider bridge({.postgres_url = shared_postgres().url(), .redis_url = redis_at(redis.port())});
    INFO(bridge.end_of_log());
    CHECK(bridge.logs(
        "attempt 1 failed: Redis asks for a password (NOAUTH Authentication required.); put it into "
        "REDIS_URL: redis://:password@host:6379/0; next in "));
}

TEST_CASE("a Redis certificate for another name is told, with the name that was expected") {
    const support::temporary_folder folder;
    const support::certificates certificates(folder, "redis.example");
    support::redis_server redis({.tls = &certificates});
    running_postrider bridge({.postgres_url = shared_postgres().url(),
                              .redis_url = "rediss://127.0.0.1:" + port_text(redis.tls_port()),
                              .environment = {{"REDIS_SSL_CA_CERTS", certificates.ca}}});
    INFO(bridge.end_of_log());
    CHECK(bridge.logs(
        "attempt 1 failed: TLS: the certificate is not for '127.0.0.1' but for redis.example; use a name "
        "it holds in REDIS_URL; next in "));
}

TEST_CASE("over TLS with the right name the groups arrive") {
    const support::temporary_folder folder;
    const support::certificates certificates(folder);
    support::redis_server redis({.password = "right", .tls = &certificates});
    support::sql database(shared_postgres().url());
    running_postrider bridge(
        {.postgres_url = shared_postgres().url(),
         .redis_url = "rediss://:right@localhost:" + port_text(redis.tls_port()),
         .environment = {{"REDIS_SSL_CA_CERTS", certificates.ca}, {"GROUPING_DELAY", "100ms"}}});
    INFO(bridge.end_of_log());
    REQUIRE(bridge.becomes_ready());
    chat talk;
    database.notify("bot_events", talk.next("a"));
    CHECK(talk.verdict(wait_for_list(redis, "bot_messages", 1)) == "");
}

TEST_CASE("refused ports are told for both servers") {
    const auto nothing = support::free_port();
    running_postrider bridge({.postgres_url = postgres_at(nothing), .redis_url = redis_at(nothing)});
    INFO(bridge.end_of_log());
    CHECK(bridge.logs("ERROR postgres: attempt 1 failed: 127.0.0.1:" + port_text(nothing) + ": "));
    CHECK(bridge.logs("WARNING redis redis://127.0.0.1:" + port_text(nothing) + "/0: attempt 1 failed: "));
    CHECK(bridge.logs("Is the server running on that host and accepting TCP/IP connections?"));
    CHECK(bridge.logs("Connection refused"));
    CHECK(bridge.get("/health/readiness").status == 503);
    CHECK(bridge.get("/health/liveness").status == 200);
}

TEST_CASE("a wrong Postgres password is told in Postgres' words, and never shown") {
    support::postgres_server postgres({.password = "right"});
    running_postrider bridge({.postgres_url = "postgresql://postgres:hunter2@127.0.0.1:" +
                                              port_text(postgres.port()) + "/postgres",
                              .redis_url = shared_redis().url()});
    INFO(bridge.end_of_log());
    CHECK(bridge.logs("attempt 1 failed: 127.0.0.1:" + port_text(postgres.port()) +
                      ": connection to server at " + R"("127.0.0.1", port )" + port_text(postgres.port()) +
                      R"( failed: FATAL:  password authentication failed for user "postgres"; next in )"));
    CHECK(bridge.log().find("hunter2") == std::string::npos);
}

TEST_CASE("a missing database is told in Postgres' words") {
    running_postrider bridge(
        {.postgres_url = shared_postgres().url("nowhere"), .redis_url = shared_redis().url()});
    INFO(bridge.end_of_log());
    CHECK(bridge.logs(R"(database "nowhere" does not exist)"));
}

TEST_CASE("check says what is well, with status 0") {
    auto& redis = shared_redis();
    running_postrider check({.postgres_url = shared_postgres().url(), .redis_url = redis.url()}, "check");
    CHECK(check.ends() == 0);
    CAPTURE(check.log());
    CHECK(check.log().find("ok    configuration: 2 routes\n") != std::string::npos);
    CHECK(check.log().find("ok    postgres: listens, and hears a notification to itself\n") !=
          std::string::npos);
    CHECK(check.log().find("ok    redis: " + redis.url() + "/0 answers within ") != std::string::npos);
}

TEST_CASE("check says what is wrong with each server, with status 1") {
    const auto nothing = support::free_port();
    running_postrider check({.postgres_url = postgres_at(nothing), .redis_url = redis_at(nothing)}, "check");
    CHECK(check.ends() == 1);
    CAPTURE(check.log());
    CHECK(check.log().find("FAIL  postgres: ") != std::string::npos);
    CHECK(check.log().find("FAIL  redis: ") != std::string::npos);
    CHECK(check.log().find("Connection refused") != std::string::npos);
}

}  // namespace
}  // namespace postrider::test
