// `postrider health`: what a container's HEALTHCHECK runs.
#include <doctest/doctest.h>

#include <csignal>

#include "command.hpp"
#include "running_postrider.hpp"

namespace postrider::test {
namespace {

// A service whose servers are both away is alive all the same.
const postrider_settings without_servers{.postgres_url = "postgresql://postgres@127.0.0.1:1/postgres",
                                         .redis_url = "redis://127.0.0.1:1"};

command_result health_at(std::uint16_t port) {
    return run_command({"health"}, {{"PORT", std::to_string(port)}});
}

TEST_CASE("health says 0 of a service that is alive, its servers away, and 1 of one that hangs or is gone") {
    running_postrider service(without_servers);
    REQUIRE(service.answers("/health/liveness", "alive"));
    const auto where = "127.0.0.1:" + std::to_string(service.port());
    const auto alive = health_at(service.port());
    CHECK(alive.status == 0);
    CHECK(alive.output == "alive: " + where + "\n");

    // A stopped process still takes connections; it only never answers.
    service.signal(SIGSTOP);
    const auto hanging = health_at(service.port());
    CHECK(hanging.status == 1);
    CHECK(hanging.output == "not alive: " + where + ": no answer within 3 s\n");
    service.signal(SIGCONT);

    service.kill();
    const auto gone = health_at(service.port());
    CHECK(gone.status == 1);
    CHECK(gone.output == "not alive: " + where + ": Connection refused\n");
}

TEST_CASE("health asks the address and the port of the file") {
    auto settings = without_servers;
    settings.file = "[http]\naddress = \"127.0.0.2\"\n";
    running_postrider service(settings);
    REQUIRE(service.logs("http on port"));
    const auto port = std::to_string(service.port());
    CHECK(health_at(service.port()).status == 1);
    support::temporary_folder folder;
    const auto file =
        folder.write("postrider.toml", "[http]\naddress = \"127.0.0.2\"\nport = " + port + "\n");
    const auto found = run_command({"health", "--config", file});
    CHECK(found.status == 0);
    CHECK(found.output == "alive: 127.0.0.2:" + port + "\n");
}

TEST_CASE("health says 1, the only status left for it, where the configuration is wrong") {
    const auto wrong = run_command({"health"}, {{"PORT", "http"}});
    CHECK(wrong.status == 1);
    CHECK(wrong.output.find("postrider: PORT=") == 0);
    const auto any = health_at(0);
    CHECK(any.status == 1);
    CHECK(any.output.find("name the port in PORT") != std::string::npos);
}

}  // namespace
}  // namespace postrider::test
