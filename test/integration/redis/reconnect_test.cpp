#include <doctest/doctest.h>

#include <string>

#include "driven_client.hpp"
#include "support/ports.hpp"
#include "support/redis_server.hpp"
#include "support/tcp_gate.hpp"

using namespace postrider;
using namespace postrider::test;
using support::redis_server;
using support::tcp_gate;
using state = redis::client::state;

namespace {

bool reconnected(driven_client& client, std::uint64_t generation) {
    return client.until([&] { return client->connected() && client->generation() >= generation; });
}

}  // namespace

TEST_CASE("a server that is absent at the start is waited for") {
    redis_server server;
    server.stop();
    driven_client client(quick(server.port()));
    REQUIRE(client.until([&] { return client->current().attempts >= 3; }));
    CHECK(client.log().holds("attempt 3 failed: cannot connect to 127.0.0.1"));
    const auto answer = client.execute(command({"PING"}));
    REQUIRE(answer.has_error());
    CHECK(answer.error().code == core::errc::connection_lost);
    CHECK(answer.error().message.find("Connection refused") != std::string::npos);
    server.start();
    REQUIRE(client.until_connected());
    CHECK(client->current().attempts == 0);
    CHECK(client->current().reconnects == 0);
    CHECK(client.ask({"PING"}).text == "PONG");
    CHECK(client.log().holds("/0: connected\n"));
    CHECK_FALSE(client.log().holds("reconnected"));
}

TEST_CASE("the waits between attempts grow up to their cap") {
    auto o = quick(support::free_port());
    o.backoff_first = 10ms;
    o.backoff_cap = 40ms;
    driven_client client(o);
    REQUIRE(client.until([&] { return client.log().holds("attempt 5 failed"); }));
    const auto wait = [&](unsigned attempt) {
        const auto text = client.log().text();
        const auto from = text.find("attempt " + std::to_string(attempt) + " failed");
        return std::stoi(text.substr(text.find("next in ", from) + 8));
    };
    const int most[] = {10, 20, 40, 40, 40};
    for (unsigned attempt = 1; attempt <= 5; ++attempt) {
        CAPTURE(attempt);
        CHECK(wait(attempt) <= most[attempt - 1]);
        CHECK(wait(attempt) >= most[attempt - 1] * 3 / 4);
    }
}

TEST_CASE("a restarted server is found again, and the log tells the story") {
    redis_server server;
    driven_client client(quick(server.port()));
    REQUIRE(client.until_connected());
    client.ask({"SET", "kept", "yes"});
    // Older than the first wait, so that the first attempt comes at once.
    REQUIRE(client.until([&, then = std::chrono::steady_clock::now()] {
        return std::chrono::steady_clock::now() - then > 50ms;
    }));
    server.stop();
    REQUIRE(client.until([&] { return client->current().attempts >= 2; }));
    CHECK_FALSE(client->connected());
    server.start();
    REQUIRE(reconnected(client, 2));
    CHECK(client.ask({"GET", "kept"}).text == "yes");
    CHECK(client->current().reconnects == 1);
    CHECK(client->current().outage > 0ms);

    const std::string where = "redis redis://127.0.0.1:" + std::to_string(server.port()) + "/0: ";
    const std::string log = client.log().text();
    const auto lost = log.find("warning: " + where + "connection lost: closed by the server\n");
    const auto first = log.find("warning: " + where + "attempt 1 failed: ");
    const auto second = log.find("warning: " + where + "attempt 2 failed: ");
    const auto again = log.find("info: " + where + "reconnected after ");
    CHECK(lost < first);
    CHECK(first < second);
    CHECK(second < again);
    CHECK(again != std::string::npos);
}

TEST_CASE("commands under way when the server is killed fail as lost") {
    redis_server server;
    driven_client client(quick(server.port()));
    REQUIRE(client.until_connected());
    std::optional<core::result<std::vector<redis::reply>>> answer;
    client.start(command({"BLPOP", "never", "0"}), answer);
    REQUIRE(client.until([&] {
        return server.command({"INFO", "clients"}).front().find("blocked_clients:1") != std::string::npos;
    }));
    server.kill();
    REQUIRE(client.until([&] { return answer.has_value(); }));
    REQUIRE(answer->has_error());
    CHECK(answer->error().code == core::errc::connection_lost);
}

TEST_CASE("reconnect() takes a new connection and says why") {
    redis_server server;
    driven_client client(quick(server.port()));
    REQUIRE(client.until_connected());
    const auto before = client.ask({"CLIENT", "ID"}).integer;
    client->reconnect("the primary turned replica");
    CHECK_FALSE(client->connected());
    REQUIRE(reconnected(client, 2));
    CHECK(client.ask({"CLIENT", "ID"}).integer > before);
    CHECK(client.log().holds("connection lost: the primary turned replica"));
}

TEST_CASE("wait_connected() returns true once the server is there") {
    redis_server server;
    server.stop();
    driven_client client(quick(server.port()));
    std::optional<bool> connected;
    asio::co_spawn(client.loop(), client->wait_connected(),
                   [&](const std::exception_ptr& error, bool answer) {
                       CHECK(!error);
                       connected = answer;
                   });
    REQUIRE(client.until([&] { return client->current().attempts >= 2; }));
    CHECK_FALSE(connected.has_value());
    server.start();
    REQUIRE(client.until([&] { return connected.has_value(); }));
    CHECK(*connected);
}

TEST_CASE("a server that loads its data is waited for") {
    redis_server::settings wanted;
    // Each key takes 20 ms to load, and the loader answers clients between any two.
    wanted.arguments = {"--key-load-delay",
                        "20000",
                        "--loading-process-events-interval-bytes",
                        "1024",
                        "--rdbcompression",
                        "no",
                        "--enable-debug-command",
                        "yes"};
    wanted.persistent = false;
    redis_server server(wanted);
    for (int i = 0; i < 100; ++i)
        server.command({"SET", "key:" + std::to_string(i), std::string(1'100, 'x')});
    driven_client client(quick(server.port()));
    REQUIRE(client.until_connected());
    std::optional<core::result<std::vector<redis::reply>>> reload;
    client.start(command({"DEBUG", "RELOAD"}), reload);
    client.step(3);  // it is sent
    driven_client late(quick(server.port()));
    REQUIRE(late.until([&] { return late->connected() || late.log().holds("LOADING"); }));
    CHECK(late.log().holds("LOADING"));
    REQUIRE(late.until_connected());
    CHECK(late.ask({"DBSIZE"}).integer == 100);
    CHECK(client.until([&] { return reload.has_value(); }));
}

TEST_CASE("a server that drops each connection soon is not left alone for longer and longer") {
    redis_server server;
    auto o = quick(server.port());
    o.backoff_first = 200ms;
    o.backoff_cap = 1h;
    driven_client client(o);
    // Doubled each time, the last wait would be longer than six minutes.
    for (int flap = 0; flap < 12; ++flap) {
        REQUIRE(client.until_connected());
        client->reconnect("again");
    }
}

TEST_CASE("a server that drops every connection at once is not hammered") {
    redis_server server;
    tcp_gate gate(server.port());
    auto o = quick(gate.port());
    o.backoff_first = 1s;
    o.backoff_cap = 1s;
    driven_client client(o);
    REQUIRE(client.until_connected());
    const auto start = std::chrono::steady_clock::now();
    const auto before = gate.accepted();
    while (gate.accepted() < before + 2) {
        REQUIRE(client.until_connected());
        client->reconnect("again");
    }
    // Two waits of at least 750 ms each.
    CHECK(std::chrono::steady_clock::now() - start > 1s);
}
