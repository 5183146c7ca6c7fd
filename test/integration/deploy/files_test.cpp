// What lies in deploy/, each folder judged by the tools that are made for it (test/deploy).
#include <doctest/doctest.h>

#include <cstdlib>

#include "servers.hpp"
#include "support/ports.hpp"
#include "support/process.hpp"

namespace postrider::test {
namespace {

using variables = std::vector<std::pair<std::string, std::string>>;

// Runs test/deploy/NAME. What it says is shown where a tool is missing, so that nobody takes that for a
// check.
void check_with(const std::string& name, variables environment = {}, std::chrono::seconds limit = 180s) {
    // npm stalls without its way to the registry: a proxy, and who vouches for it.
    for (const char* variable : {"POSTRIDER_TEST_CACHE", "NODE_EXTRA_CA_CERTS", "HTTPS_PROXY", "https_proxy",
                                 "NO_PROXY", "no_proxy"})
        if (const char* value = std::getenv(variable)) environment.emplace_back(variable, value);
    support::process::settings wanted;
    wanted.arguments = {POSTRIDER_SOURCE_FOLDER "/test/deploy/" + name};
    wanted.environment = std::move(environment);
    support::process script(std::move(wanted));
    constexpr int left_out = 77;
    const int status = script.wait(limit);
    const auto said = script.output();
    if (status == left_out) {
        MESSAGE(said);
        return;
    }
    INFO(said);
    CHECK(status == 0);
}

// What a check needs that starts the program itself.
variables service() {
    return {{"POSTRIDER_PROGRAM", POSTRIDER_PROGRAM},
            {"POSTGRES_URL", postgres_at(shared_postgres().port())},
            {"REDIS_URL", "redis://localhost:" + std::to_string(shared_redis().port())},
            {"PORT", std::to_string(support::free_port())}};
}

TEST_CASE("the installers know the packages of three systems, and say that they know no other") {
    check_with("install.sh");
}

TEST_CASE("the Kubernetes objects are what their kinds allow") {
    check_with("kubernetes.sh");
}

TEST_CASE("the Cloud Run service is what its kind allows, with a CPU and an instance of its own") {
    check_with("cloudrun.sh");
}

TEST_CASE("Compose takes its file, and all that is mounted is there") {
    check_with("compose.sh");
}

TEST_CASE("Grafana's dashboard shows every metric, by queries that Prometheus understands") {
    check_with("grafana.sh");
}

TEST_CASE("systemd takes the unit and finds it well locked up") {
    check_with("systemd.sh");
}

TEST_CASE("the guide for the night has a word on every alert") {
    check_with("guide.sh");
}

TEST_CASE("the Dockerfile is read without complaint") {
    check_with("dockerfile.sh");
}

TEST_CASE("what becomes the image is all that the program needs: read-only, no shell, another user") {
    check_with("container.sh", service());
}

TEST_CASE("the image is built by its Dockerfile, and starts") {
    auto wanted = service();
    const char* asked = std::getenv("POSTRIDER_IMAGE");
    if (asked != nullptr) wanted.emplace_back("POSTRIDER_IMAGE", asked);
    check_with("image.sh", std::move(wanted), 1h);
}

}  // namespace
}  // namespace postrider::test
