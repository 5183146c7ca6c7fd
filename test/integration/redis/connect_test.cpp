#include <doctest/doctest.h>

#include "driven_client.hpp"
#include "support/keepalive.hpp"
#include "support/ports.hpp"
#include "support/redis_server.hpp"
#include "support/tcp_gate.hpp"

using namespace postrider;
using namespace postrider::test;
using support::redis_server;

namespace {

void check_holds(const std::string& text, const std::string& words) {
    CAPTURE(text);
    CAPTURE(words);
    CHECK(text.find(words) != std::string::npos);
}

// The cause of the first failed attempt.
std::string first_failure(const redis::options& o) {
    driven_client client(o);
    REQUIRE(client.until([&] { return client->current().attempts > 0; }));
    CHECK_FALSE(client->connected());
    CHECK(client.log().holds("warning: redis " + redis::describe(o) +
                             ": attempt 1 failed: " + client->current().last_error + "; next in "));
    if (!o.password.empty()) CHECK_FALSE(client.log().holds(o.password));
    return client->current().last_error;
}

}  // namespace

TEST_CASE("commands are answered over TCP, and the connection carries our name") {
    redis_server server;
    driven_client client(quick(server.port()));
    REQUIRE(client.until_connected());
    CHECK(client.ask({"ECHO", "hello"}).text == "hello");
    CHECK(client.ask({"CLIENT", "GETNAME"}).text == "postrider");
    CHECK(client->current().state == redis::client::state::connected);
    CHECK(client->generation() == 1);
    CHECK(client->current().reconnects == 0);
    CHECK(client.log().text() ==
          "info: redis redis://127.0.0.1:" + std::to_string(server.port()) + "/0: connected\n");
}

TEST_CASE("a host name is resolved") {
    redis_server server;
    auto o = quick(server.port());
    o.host = "localhost";
    driven_client client(o);
    REQUIRE(client.until_connected());
    CHECK(client.ask({"PING"}).text == "PONG");
}

TEST_CASE("the kernel is told to ask a quiet connection for a sign of life") {
    redis_server server;
    // The server is spoken to by the test as well, the gate by the client alone.
    support::tcp_gate gate(server.port());
    driven_client client(quick(gate.port()));
    REQUIRE(client.until_connected());
    const support::keepalive expected{.on = true, .idle = 30, .interval = 5, .count = 3};
    CHECK((support::keepalives_to(gate.port()) == std::vector{expected}));
}

TEST_CASE("a Unix socket serves as well") {
    redis_server server;
    redis::options o = quick(1);
    o.unix_path = server.unix_path();
    o.database = 4;
    driven_client client(o);
    REQUIRE(client.until_connected());
    client.ask({"SET", "where", "unix"});
    CHECK(client.ask({"GET", "where"}).text == "unix");
    CHECK(server.command({"GET", "where"}) != std::vector<std::string>{"unix"});
}

TEST_CASE("the database of the options is the one that is used") {
    redis_server server;
    auto o = quick(server.port());
    o.database = 7;
    driven_client client(o);
    REQUIRE(client.until_connected());
    client.ask({"SET", "a", "b"});
    CHECK(server.integer({"DBSIZE"}) == 0);
    CHECK(client.ask({"DBSIZE"}).integer == 1);
}

TEST_CASE("a password, and a user with a password, are accepted") {
    redis_server::settings wanted;
    wanted.password = "s3cret of all";
    redis_server server(wanted);
    auto o = quick(server.port());
    o.password = "s3cret of all";
    {
        driven_client client(o);
        REQUIRE(client.until_connected());
        CHECK(client.ask({"PING"}).text == "PONG");
    }
    server.command({"ACL", "SETUSER", "bob", "on", ">bobs", "~*", "&*", "+@all"});
    o.user = "bob";
    o.password = "bobs";
    driven_client client(o);
    REQUIRE(client.until_connected());
    CHECK(client.ask({"ACL", "WHOAMI"}).text == "bob");
}

TEST_CASE("wrong, missing and needless passwords are told apart, with the setting to mend") {
    redis_server::settings wanted;
    wanted.password = "right";
    redis_server guarded(wanted);
    redis_server open;

    auto o = quick(guarded.port());
    std::string cause = first_failure(o);
    check_holds(cause, "Redis asks for a password");
    check_holds(cause, "redis://:password@host:6379/0");
    o.password = "not-this-one";
    cause = first_failure(o);
    check_holds(cause, "Redis refused the password in REDIS_URL (WRONGPASS");
    o.user = "nobody";
    cause = first_failure(o);
    check_holds(cause, "Redis refused the user or password in REDIS_URL (WRONGPASS");
    o = quick(open.port());
    o.password = "not-this-one";
    cause = first_failure(o);
    check_holds(cause, "take it out of REDIS_URL");
}

TEST_CASE("a password that is mended on the server lets the client in without a restart") {
    redis_server::settings wanted;
    wanted.password = "old";
    redis_server server(wanted);
    auto o = quick(server.port());
    o.password = "new";
    driven_client client(o);
    REQUIRE(client.until([&] { return client->current().attempts > 1; }));
    server.command({"CONFIG", "SET", "requirepass", "new"});
    CHECK(client.until_connected());
}

TEST_CASE("a database that the server does not have is named") {
    redis_server server;
    auto o = quick(server.port());
    o.database = 99;
    check_holds(first_failure(o), "Redis has no database 99");
}

TEST_CASE("a refused port, an unknown host and a missing socket are told apart") {
    auto o = quick(support::free_port());
    std::string cause = first_failure(o);
    check_holds(cause, "cannot connect to 127.0.0.1 port " + std::to_string(o.port) + ": Connection refused");
    o.host = "no-such-host.invalid";
    cause = first_failure(o);
    check_holds(cause, "no-such-host.invalid");
    o.unix_path = "/nonexistent/redis.sock";
    cause = first_failure(o);
    check_holds(cause, "cannot connect to the socket '/nonexistent/redis.sock': No such file or directory");
}

TEST_CASE("a server at its limit of clients is waited for") {
    redis_server::settings wanted;
    wanted.arguments = {"--maxclients", "1"};
    redis_server server(wanted);
    server.command({"PING"});
    driven_client client(quick(server.port()));
    REQUIRE(client.until([&] { return client->current().attempts > 0; }));
    check_holds(client->current().last_error, "max number of clients reached");
    server.command({"CONFIG", "SET", "maxclients", "10"});
    CHECK(client.until_connected());
}
