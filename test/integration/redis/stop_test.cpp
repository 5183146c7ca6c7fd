#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "driven_client.hpp"
#include "support/certificates.hpp"
#include "support/folder.hpp"
#include "support/ports.hpp"
#include "support/redis_server.hpp"
#include "support/tcp_gate.hpp"

using namespace postrider;
using namespace postrider::test;
using support::redis_server;
using support::tcp_gate;

namespace {

// Deadlines that no test could wait for: only stop() itself can end the client.
redis::options endless(std::uint16_t port) {
    auto o = quick(port);
    o.connect_timeout = 1h;
    o.command_timeout = 1h;
    o.ping_interval = 1h;
    o.backoff_first = 1h;
    o.backoff_cap = 1h;
    return o;
}

void check_stops(driven_client& client) {
    client->stop();
    client->stop();
    CHECK(client.until([&] { return client.ended(); }));
    CHECK_FALSE(client->connected());
    CHECK(client->current().state == redis::client::state::stopped);
    const auto answer = client.execute(command({"PING"}));
    REQUIRE(answer.has_error());
    CHECK(answer.error().code == core::errc::stopped);
}

// Stops after every number of handlers on the way from the start to a connection that serves.
void check_stops_at_every_step(const redis::options& o) {
    bool served = false;
    for (std::size_t steps = 0; !served; ++steps) {
        CAPTURE(steps);
        REQUIRE(steps < 1'000);
        driven_client client(o);
        client.step(steps);
        served = !client->recent_pings().empty();
        check_stops(client);
    }
}

}  // namespace

TEST_CASE("stop() ends a client at every step of connecting by name") {
    redis_server server;
    auto o = endless(server.port());
    o.host = "localhost";
    o.database = 1;
    check_stops_at_every_step(o);
}

TEST_CASE("stop() ends a client at every step of connecting with TLS") {
    support::temporary_folder folder;
    support::certificates files(folder);
    redis_server::settings wanted;
    wanted.tls = &files;
    redis_server server(wanted);
    auto o = endless(server.tls_port());
    o.tls = true;
    o.ca_file = files.ca;
    check_stops_at_every_step(o);
}

TEST_CASE("stop() ends a client whose server accepts and says nothing") {
    redis_server server;
    tcp_gate gate(server.port());
    gate.stall();
    for (const bool tls : {false, true}) {
        auto o = endless(gate.port());
        o.tls = tls;
        o.verify = redis::verification::none;
        driven_client client(o);
        const auto before = gate.accepted();
        REQUIRE(client.until([&] { return gate.accepted() > before; }));
        check_stops(client);
    }
}

TEST_CASE("stop() ends a client that waits for its next attempt") {
    driven_client client(endless(support::free_port()));
    REQUIRE(client.until([&] { return client->current().state == redis::client::state::waiting; }));
    check_stops(client);
}

TEST_CASE("stop() ends the commands under way and those who wait for a connection") {
    redis_server server;
    tcp_gate gate(server.port());
    driven_client client(endless(gate.port()));
    REQUIRE(client.until([&] { return !client->recent_pings().empty(); }));
    gate.stall();
    std::vector<std::optional<core::result<std::vector<redis::reply>>>> answers(10);
    for (auto& answer : answers)
        client.start(command({"PING"}), answer);
    client.loop().poll();
    check_stops(client);
    REQUIRE(client.until([&] {
        return std::all_of(answers.begin(), answers.end(), [](const auto& a) { return a.has_value(); });
    }));
    for (const auto& answer : answers) {
        REQUIRE(answer->has_error());
        CHECK(answer->error().code == core::errc::stopped);
    }
}

TEST_CASE("wait_connected() returns false once stopped") {
    driven_client client(endless(support::free_port()));
    std::optional<bool> connected;
    asio::co_spawn(client.loop(), client->wait_connected(),
                   [&](const std::exception_ptr& error, bool answer) {
                       CHECK(!error);
                       connected = answer;
                   });
    REQUIRE(client.until([&] { return client->current().attempts > 0; }));
    CHECK_FALSE(connected.has_value());
    check_stops(client);
    REQUIRE(client.until([&] { return connected.has_value(); }));
    CHECK_FALSE(*connected);
}

TEST_CASE("a client that was stopped before it ran ends at once") {
    asio::io_context loop;
    redis::client client(loop.get_executor(), endless(1));
    client.stop();
    bool ended = false;
    asio::co_spawn(loop, client.run(), [&](const std::exception_ptr& error) {
        CHECK(!error);
        ended = true;
    });
    loop.run_for(30s);
    CHECK(ended);
    CHECK(client.current().state == redis::client::state::stopped);
}
