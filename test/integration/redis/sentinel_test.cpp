#include <doctest/doctest.h>

#include <string>

#include "driven_client.hpp"
#include "support/certificates.hpp"
#include "support/folder.hpp"
#include "support/ports.hpp"
#include "support/redis_sentinels.hpp"
#include "support/tcp_gate.hpp"

using namespace postrider;
using namespace postrider::test;
using support::redis_sentinel;
using support::redis_sentinels;
using support::redis_server;
using support::tcp_gate;

namespace {

redis::options from_url(const std::string& url) {
    return quick(url, 200ms);
}

std::string sentinel_url(const std::string& hosts, const std::string& name = "mymaster") {
    return "redis+sentinel://" + hosts + "/" + name + "/0";
}

std::string at(std::uint16_t port) {
    return "127.0.0.1:" + std::to_string(port);
}

bool speaks_to(driven_client& client, std::uint16_t port) {
    const auto servers = client->primaries();
    return servers.size() == 1 && servers.front() == redis::address{"127.0.0.1", port};
}

}  // namespace

TEST_CASE("the sentinels' primary is found, and the one that answered is asked first from then on") {
    redis_server server;
    redis_sentinel sentinel({.primary_port = server.port()});
    tcp_gate dead(sentinel.port());
    dead.stall();
    // The first swallows what comes, the second refuses, the third knows.
    auto o =
        from_url(sentinel_url(at(dead.port()) + "," + at(support::free_port()) + "," + at(sentinel.port())));
    o.connect_timeout = 9s;  // a third for each sentinel
    o.ping_interval = 1h;
    driven_client client(o);
    REQUIRE(client.until_connected());
    CHECK(speaks_to(client, server.port()));
    CHECK(client.log().holds("connected, the primary is " + at(server.port())));
    CHECK(client.ask({"SET", "a", "1"}).text == "OK");
    const auto asked = dead.accepted();
    CHECK(asked == 1);
    client->reconnect("again");
    REQUIRE(client.until([&] { return client->generation() == 2 && client->connected(); }));
    CHECK(dead.accepted() == asked);
}

TEST_CASE("a failover is followed, and the log says from where to where, once") {
    redis_sentinels all;
    driven_client client(from_url(all.url()));
    REQUIRE(client.until_connected());
    redis_server& old = all.primary();
    CHECK(speaks_to(client, old.port()));

    // The old primary is still there, and becomes a replica: its ROLE, READONLY or the sentinels tell.
    all.fail_over();
    redis_server& next = all.primary();
    REQUIRE(client.until([&] { return speaks_to(client, next.port()); }));
    REQUIRE(client.until([&] { return client.ask({"SET", "a", "1"}).text == "OK"; }));
    const std::string words =
        "failover: the primary is " + at(next.port()) + " now, and was " + at(old.port());
    const std::string log = client.log().text();
    const auto first = log.find(words);
    CHECK(first != std::string::npos);
    CHECK(log.find(words, first + 1) == std::string::npos);
}

TEST_CASE("an old primary that is cut off from the sentinels alone is left") {
    redis_server old;
    redis_server next;
    redis_sentinel first({.primary_port = old.port()});
    tcp_gate gate(first.port());
    driven_client client(from_url(sentinel_url(at(gate.port()))));
    REQUIRE(client.until_connected());
    CHECK(speaks_to(client, old.port()));
    // It still says that it is a primary; only the sentinels know better.
    first.command({"SENTINEL", "REMOVE", "mymaster"});
    first.command({"SENTINEL", "MONITOR", "mymaster", "127.0.0.1", std::to_string(next.port()), "1"});
    REQUIRE(client.until([&] { return speaks_to(client, next.port()); }));
    CHECK(
        client.log().holds("connection lost: the sentinels name " + at(next.port()) + " as the primary now"));
}

TEST_CASE("a replica that the sentinels still name is not taken for the primary") {
    redis_server primary;
    redis_server replica;
    redis_sentinel sentinel({.primary_port = replica.port()});
    replica.command({"REPLICAOF", "127.0.0.1", std::to_string(primary.port())});
    driven_client client(from_url(sentinel_url(at(sentinel.port()))));
    REQUIRE(client.until([&] { return client->current().attempts >= 1; }));
    // The sentinel itself follows what the replica says in the end.
    CHECK(client.log().holds("no primary at the moment: the sentinels name " + at(replica.port()) +
                             ", but: this server is no primary, but says that it is a 'slave'"));
}

TEST_CASE("a connected primary that becomes a replica is left with the next ping") {
    redis_server server;
    redis_server other;
    redis_sentinel sentinel({.primary_port = server.port()});
    auto o = from_url(sentinel_url(at(sentinel.port())));
    driven_client client(o);
    REQUIRE(client.until_connected());
    sentinel.kill();
    server.command({"REPLICAOF", "127.0.0.1", std::to_string(other.port())});
    CHECK(client.until([&] {
        return client.log().holds(
            "connection lost: this server is no primary, but says that it is a 'slave'");
    }));
}

TEST_CASE("no sentinel that answers: each is named with the cause") {
    const auto a = support::free_port();
    const auto b = support::free_port();
    driven_client client(from_url(sentinel_url(at(a) + "," + at(b))));
    REQUIRE(client.until([&] { return client->current().attempts >= 1; }));
    const std::string why = client->current().last_error;
    CAPTURE(why);
    CHECK(why.starts_with("no sentinel answers, of 2 in REDIS_URL; " + at(a) + ": cannot connect to "));
    CHECK(why.find("; " + at(b) + ": cannot connect to ") != std::string::npos);
}

TEST_CASE("a name that the sentinels do not know is told") {
    redis_server server;
    redis_sentinel sentinel({.primary_port = server.port()});
    driven_client client(
        from_url(sentinel_url(at(support::free_port()) + "," + at(sentinel.port()), "other")));
    REQUIRE(client.until([&] { return client->current().attempts >= 1; }));
    CHECK(client->current().last_error ==
          "the sentinels know no primary named 'other'; mend the name behind the hosts in REDIS_URL: "
          "redis+sentinel://host:26379/name/0");
}

TEST_CASE("a primary that is away is named, and taken when it is back") {
    redis_server server;
    redis_sentinel sentinel({.primary_port = server.port()});
    server.kill();
    driven_client client(from_url(sentinel_url(at(sentinel.port()))));
    REQUIRE(client.until([&] { return client->current().attempts >= 1; }));
    CHECK(client->current().last_error.starts_with("no primary at the moment: the sentinels name " +
                                                   at(server.port()) + ", but: cannot connect to "));
    server.start();
    CHECK(client.until_connected());
}

TEST_CASE("sentinels and servers have credentials of their own, and neither is shown") {
    redis_server server({.password = "of-server"});
    redis_sentinel sentinel({.primary_port = server.port(),
                             .server_password = "of-server",
                             .user = "watcher",
                             .password = "of/sentinel"});
    const auto url = [&](const std::string& query) {
        return "redis+sentinel://:of-server@" + at(sentinel.port()) + "/mymaster/0" + query;
    };
    {
        driven_client client(from_url(url("?sentinel_user=watcher&sentinel_password=of%2Fsentinel")));
        REQUIRE(client.until_connected());
        CHECK(client.ask({"SET", "a", "1"}).text == "OK");
    }
    for (const char* query : {"", "?sentinel_user=watcher&sentinel_password=wrong"}) {
        driven_client client(from_url(url(query)));
        REQUIRE(client.until([&] { return client->current().attempts >= 1; }));
        const std::string why = client->current().last_error;
        CAPTURE(why);
        CHECK(why.starts_with("a sentinel refuses Postrider: " + at(sentinel.port()) + ": "));
        CHECK(why.ends_with("as sentinel_user=… and sentinel_password=…"));
        CHECK_FALSE(client.log().holds("wrong;"));
        CHECK_FALSE(client.log().holds("of/sentinel"));
        CHECK_FALSE(client.log().holds("of-server"));
    }
}

TEST_CASE("with rediss+sentinel both the sentinels and the server speak TLS") {
    support::temporary_folder folder;
    support::certificates files(folder);
    redis_server server({.tls = &files});
    redis_sentinel sentinel({.primary_port = server.tls_port(), .tls = &files});
    auto o = from_url("rediss+sentinel://localhost:" + std::to_string(sentinel.port()) + "/mymaster/0");
    o.ca_file = files.ca;
    driven_client client(o);
    REQUIRE(client.until_connected());
    CHECK(speaks_to(client, server.tls_port()));
    CHECK(client.ask({"SET", "a", "1"}).text == "OK");
}

TEST_CASE("stop() ends a client at every step of asking a sentinel and connecting") {
    redis_server server;
    redis_sentinel sentinel({.primary_port = server.port()});
    auto o = from_url(sentinel_url(at(sentinel.port())));
    o.connect_timeout = 1h;
    o.command_timeout = 1h;
    o.ping_interval = 1h;
    o.backoff_first = 1h;
    o.backoff_cap = 1h;
    bool served = false;
    for (std::size_t steps = 0; !served; ++steps) {
        CAPTURE(steps);
        REQUIRE(steps < 1'000);
        driven_client client(o);
        client.step(steps);
        served = !client->recent_pings().empty();
        client->stop();
        CHECK(client.until([&] { return client.ended(); }));
    }
}
