// What connection::open says where it does not get through, and that it never holds the loop up.
#include <doctest/doctest.h>

#include "postgres/connection.hpp"
#include "support/certificates.hpp"
#include "support/keepalive.hpp"
#include "support/loop.hpp"
#include "support/ports.hpp"
#include "support/postgres_server.hpp"
#include "support/sql.hpp"
#include "support/tcp_gate.hpp"

using namespace postrider;
using namespace postrider::test;
using postgres::connection;
using support::postgres_server;

namespace {

struct outcome {
    bool open = false;
    std::string server;
    core::failure why;
};

outcome attempt(loop& l, const std::string& conninfo, std::chrono::milliseconds a_host = 10min) {
    auto opened = l.value_of(connection::open(conninfo, a_host));
    outcome o;
    o.open = opened.has_value();
    if (opened)
        o.server = opened->server();
    else
        o.why = opened.error();
    return o;
}

std::string on(std::uint16_t port, const std::string& more = "") {
    return "host=127.0.0.1 port=" + std::to_string(port) + " user=postgres dbname=postgres " + more;
}

std::string where(std::uint16_t port) {
    return "127.0.0.1:" + std::to_string(port);
}

bool holds(const std::string& text, std::string_view part) {
    return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a server that refuses, and the others that do not let anybody in, are told in words") {
    loop l;
    postgres_server::settings wanted;
    wanted.password = "s3cret";
    const postgres_server server(wanted);
    const auto closed = support::free_port();

    struct row {
        std::string conninfo;
        core::errc code;
        std::string words;
    };
    const row table[] = {
        {on(closed), core::errc::refused, "Connection refused"},
        {on(server.port(), "password=wr0ng"), core::errc::authentication,
         "password authentication failed for user"},
        {on(server.port(), "passfile=/none"), core::errc::authentication, "no password supplied"},
        {on(server.port(), "password=s3cret dbname=nowhere"), core::errc::connection_lost,
         "database \"nowhere\" does not exist"},
        {on(server.port(), "password=s3cret sslmode=require"), core::errc::tls,
         "server does not support SSL"},
    };
    for (const auto& r : table) {
        const auto o = attempt(l, r.conninfo);
        INFO(r.conninfo, " → ", o.why.message);
        CHECK_FALSE(o.open);
        CHECK(o.why.code == r.code);
        CHECK(holds(o.why.message, r.words));
        CHECK(o.why.message.starts_with("127.0.0.1:"));
        CHECK(o.why.message.find("s3cret") == std::string::npos);
        CHECK(o.why.message.find("wr0ng") == std::string::npos);
        CHECK(o.why.message.find('\n') == std::string::npos);
        CHECK(l.empty());
    }
    CHECK(attempt(l, on(server.port(), "password=s3cret")).server == where(server.port()));
    CHECK(attempt(l, server.url()).open);
}

TEST_CASE("names and sockets that lead nowhere are told in words") {
    loop l;
    const auto unknown = attempt(l, "host=no..such..host port=5432");
    CHECK(unknown.why.code == core::errc::unresolved);
    CHECK(
        unknown.why.message.starts_with("no..such..host:5432: host name 'no..such..host' has no address: "));
    const auto socket = attempt(l, "host=/no/such/folder port=5432");
    CHECK(socket.why.code == core::errc::refused);
    CHECK(holds(socket.why.message, "No such file or directory"));
    const auto bad = attempt(l, "host=h password=two s3cret words");
    CHECK(bad.why.code == core::errc::invalid_input);
    CHECK_FALSE(holds(bad.why.message, "s3cret"));
}

TEST_CASE("a server is reached by its socket, by name and by address") {
    loop l;
    const postgres_server server;
    const auto port = std::to_string(server.port());
    const auto rest = " port=" + port + " user=postgres dbname=postgres";
    CHECK(attempt(l, "host=" + server.socket_folder() + rest).server == server.socket_folder() + ":" + port);
    // The name also stands for ::1, where nobody listens.
    CHECK(attempt(l, "host=localhost" + rest).server == "localhost:" + port);
    CHECK(attempt(l, "hostaddr=127.0.0.1" + rest).server == "127.0.0.1:" + port);
    CHECK(attempt(l, "host=no..such..host hostaddr=127.0.0.1" + rest).open);
    CHECK(l.empty());
}

TEST_CASE("TLS verifies authority and name, and the words say which of them failed") {
    loop l;
    const support::temporary_folder folder;
    const support::certificates right(folder);
    const support::temporary_folder other_folder;
    const support::certificates other(other_folder);
    const support::temporary_folder misnamed_folder;
    const support::certificates misnamed(misnamed_folder, "db.example");

    postgres_server::settings wanted;
    wanted.tls = &right;
    const postgres_server server(wanted);
    const auto full = " sslmode=verify-full sslrootcert=";
    CHECK(attempt(l, on(server.port(), full + right.ca)).open);
    auto distrusted = attempt(l, on(server.port(), full + other.ca));
    CHECK(distrusted.why.code == core::errc::tls);
    CHECK(holds(distrusted.why.message, "certificate verify failed"));

    wanted.tls = &misnamed;
    const postgres_server elsewhere(wanted);
    const auto wrong_name = attempt(l, on(elsewhere.port(), full + misnamed.ca));
    CHECK_MESSAGE(wrong_name.why.code == core::errc::tls, wrong_name.why.message);
    CHECK(holds(wrong_name.why.message, "server certificate for \"db.example\""));
    CHECK(holds(wrong_name.why.message, "does not match host name \"127.0.0.1\""));
    CHECK(attempt(l, on(elsewhere.port(), " sslmode=verify-ca sslrootcert=" + misnamed.ca)).open);
    CHECK(l.empty());
}

TEST_CASE("the loop goes on while a connection hangs, until the host's time is over") {
    loop l;
    const postgres_server server;
    support::tcp_gate gate(server.port());
    gate.stall();
    int ticks = 0;
    bool ended = false;
    auto tick = [&]() -> asio::awaitable<void> {
        asio::steady_timer pause(l.context());
        while (!ended) {
            pause.expires_after(1ms);
            co_await pause.async_wait(asio::use_awaitable);
            ++ticks;
        }
    };
    l.start(tick());
    const auto o = attempt(l, on(gate.port()), 300ms);
    ended = true;
    CHECK(o.why.code == core::errc::timeout);
    CHECK(o.why.message == where(gate.port()) + ": no answer while connecting");
    CHECK(ticks >= 10);
    CHECK(l.until([&] { return l.empty(); }));
}

TEST_CASE("of several hosts the first that answers is taken, dead and silent ones are passed over") {
    loop l;
    const postgres_server server;
    support::tcp_gate silent(server.port());
    silent.stall();
    const auto dead = support::free_port();
    const auto ports =
        std::to_string(dead) + "," + std::to_string(silent.port()) + "," + std::to_string(server.port());
    const auto o =
        attempt(l, "host=127.0.0.1,127.0.0.1,127.0.0.1 port=" + ports + " user=postgres dbname=postgres", 5s);
    CHECK(o.server == where(server.port()));
    CHECK(silent.accepted() == 1);
    CHECK(l.empty());

    const auto none = attempt(l, "host=127.0.0.1,127.0.0.1 user=postgres port=" + std::to_string(dead) + "," +
                                     std::to_string(support::free_port()));
    CHECK(none.why.code == core::errc::refused);
}

TEST_CASE("the kind of session decides among several servers") {
    loop l;
    postgres_server::settings wanted;
    wanted.configuration = {"default_transaction_read_only = on"};
    const postgres_server read_only(wanted);
    const postgres_server writable;
    const auto both =
        "host=127.0.0.1,127.0.0.1 user=postgres dbname=postgres port=" + std::to_string(read_only.port()) +
        "," + std::to_string(writable.port()) + " target_session_attrs=";
    CHECK(attempt(l, both + "any").server == where(read_only.port()));
    CHECK(attempt(l, both + "read-write").server == where(writable.port()));
    CHECK(attempt(l, both + "read-only").server == where(read_only.port()));
    // Neither of them is a standby: in the second round the first that answers will do.
    CHECK(attempt(l, both + "prefer-standby").server == where(read_only.port()));
    const auto standby = attempt(l, both + "standby");
    CHECK_FALSE(standby.open);
    CHECK(holds(standby.why.message, "server is not in hot standby mode"));
}

TEST_CASE("what the user sets stands above what is set for him") {
    loop l;
    const postgres_server server;
    for (const auto& [more, name] :
         {std::pair("", "postrider"), std::pair("application_name=mine", "mine")}) {
        auto c = l.value_of(connection::open(on(server.port(), more), 10min));
        REQUIRE(c.has_value());
        postgres::parameters none;
        const auto shown = l.value_of(c->query("SHOW application_name", none, in(1h)));
        REQUIRE(shown.has_value());
        CHECK(shown->at(0).at(0) == name);
    }
}

TEST_CASE(
    "the kernel is told to ask a quiet connection for a sign of life, unless the user has other plans") {
    loop l;
    const postgres_server server;
    struct row {
        std::string asked;
        support::keepalive expected;
    };
    const row rows[] = {
        {"", {.on = true, .idle = 30, .interval = 5, .count = 3}},
        {"keepalives_idle=77", {.on = true, .idle = 77, .interval = 5, .count = 3}},
    };
    for (const auto& r : rows) {
        CAPTURE(r.asked);
        support::tcp_gate gate(server.port());
        const auto c = l.value_of(connection::open(on(gate.port(), r.asked), 10min));
        REQUIRE(c.has_value());
        const auto found = support::keepalives_to(gate.port());
        // The socket, and its duplicate that Asio watches.
        CHECK_FALSE(found.empty());
        for (const auto& each : found)
            CHECK((each == r.expected));
    }
}
