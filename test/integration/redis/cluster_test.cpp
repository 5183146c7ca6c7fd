#include <doctest/doctest.h>

#include <string>

#include "driven_client.hpp"
#include "redis/names.hpp"
#include "redis/saved_state.hpp"
#include "redis/slot.hpp"
#include "support/certificates.hpp"
#include "support/folder.hpp"
#include "support/ports.hpp"
#include "support/redis_cluster.hpp"

using namespace postrider;
using namespace postrider::test;
using support::redis_cluster;
using support::redis_server;

namespace {

redis::options from_url(const std::string& url) {
    // No test waits for the look at the slots now and then.
    return quick(url, 1h);
}

// Of the cases that leave its servers alone and its slots where they were.
redis_cluster& shared_cluster() {
    static redis_cluster cluster;
    return cluster;
}

bool all_connected(driven_client& client) {
    return client.until([&] { return client->connected() && client->generation() >= 3; });
}

// A key like this one in a slot of another server.
std::string elsewhere(redis_cluster& cluster, const std::string& key) {
    const auto here = cluster.primary_of(redis::slot_of(key));
    for (int i = 0;; ++i) {
        const std::string other = key + std::to_string(i);
        if (cluster.primary_of(redis::slot_of(other)) != here) return other;
    }
}

}  // namespace

TEST_CASE("slots are computed as a server computes them") {
    auto& cluster = shared_cluster();
    for (const char* key :
         {"", "a", "123456789", "bot_messages", "{user1000}.following", "foo{}{bar}", "foo{{bar}}zap",
          "foo{bar}{zap}", "{", "}", "a}b{c}", "postrider:{bot_messages}:epoch", "\xc3\xa9\x80\xff"})
        CHECK(cluster.slot(key) == redis::slot_of(key));
}

TEST_CASE("a pipeline reaches the node of each key, and its replies come back in order") {
    auto& cluster = shared_cluster();
    driven_client client(from_url(cluster.url()));
    REQUIRE(all_connected(client));
    redis::pipeline p;
    for (int i = 0; i < 100; ++i)
        p.add({"SET", "key" + std::to_string(i), std::to_string(i)});
    p.add({"SCRIPT", "LOAD", "return redis.call('GET', KEYS[1])"});
    for (int i = 0; i < 100; ++i)
        p.add({"GET", "key" + std::to_string(i)});
    p.add({"PING"});
    const auto answer = client.execute(std::move(p));
    REQUIRE(answer.has_value());
    REQUIRE(answer->size() == 202);
    for (int i = 0; i < 100; ++i)
        CHECK((*answer)[101 + static_cast<std::size_t>(i)].text == std::to_string(i));
    CHECK(answer->back().text == "PONG");
    // The script is known everywhere.
    const std::string sha = (*answer)[100].text;
    for (int i = 0; i < 100; ++i)
        CHECK(client.ask({"EVALSHA", sha, "1", "key" + std::to_string(i)}).text == std::to_string(i));
    CHECK(client.ask({"KEYS", "key*"}).items.size() == 100);
    CHECK(client->generation() == 3);
    CHECK(client->current().reconnects == 0);
    CHECK(client.log().holds("connected to 3 primaries"));
}

TEST_CASE("each primary can be asked for what it has alone") {
    auto& cluster = shared_cluster();
    driven_client client(from_url(cluster.url()));
    REQUIRE(all_connected(client));
    for (const auto& server : client->primaries()) {
        std::optional<core::result<std::vector<redis::reply>>> answer;
        asio::co_spawn(client.loop(), client->execute_at(server, command({"CONFIG", "GET", "port"})),
                       [&](const std::exception_ptr& error, core::result<std::vector<redis::reply>> r) {
                           CHECK(!error);
                           answer.emplace(std::move(r));
                       });
        REQUIRE(client.until([&] { return answer.has_value(); }));
        REQUIRE(answer->has_value());
        CHECK((*answer)->front().items.at(1).text == std::to_string(server.port));
    }
}

TEST_CASE(
    "a slot on its way to another node: ASK, TRYAGAIN and MOVED are met, and the map is new afterwards") {
    auto& cluster = shared_cluster();
    driven_client client(from_url(cluster.url()));
    REQUIRE(all_connected(client));
    const std::string tag = "{moving}";
    const auto slot = redis::slot_of(tag);
    const auto from = cluster.primary_of(slot);
    const auto to = cluster.other_primary(from);
    CHECK(client.ask({"SET", tag + "old", "1"}).text == "OK");
    cluster.begin_move(slot, from, to);
    // What is new goes to the new node, what is there stays; two keys of which one is missing must wait.
    CHECK(client.ask({"SET", tag + "new", "2"}).text == "OK");
    CHECK(cluster.server(from).integer({"DBSIZE"}) >= 1);
    CHECK(client.ask({"GET", tag + "old"}).text == "1");
    CHECK(client.ask({"GET", tag + "new"}).text == "2");
    const auto both = client.ask({"MGET", tag + "old", tag + "new"});
    CHECK(both.text.starts_with("TRYAGAIN"));
    CHECK_FALSE(client.log().holds("went from"));
    cluster.end_move(slot, from, to);
    CHECK(client.ask({"MGET", tag + "old", tag + "new"}).items.size() == 2);
    REQUIRE(client.until([&] { return client.log().holds("1 slot went from "); }));
    // From here on it is not sent to the old node any more.
    const auto moved = [&] {
        const auto errors = cluster.server(from).command({"INFO", "errorstats"}).front();
        const auto at = errors.find("errorstat_MOVED");
        return at == std::string::npos ? std::string() : errors.substr(at, errors.find('\n', at) - at);
    };
    const auto before = moved();
    CHECK_FALSE(before.empty());
    CHECK(client.ask({"GET", tag + "new"}).text == "2");
    CHECK(moved() == before);
    CHECK(client->current().reconnects == 0);
    cluster.begin_move(slot, to, from);
    cluster.end_move(slot, to, from);
}

TEST_CASE("what is saved is found whole, at whatever moment its slot moves to another node") {
    auto& cluster = shared_cluster();
    driven_client client(from_url(cluster.url()));
    REQUIRE(all_connected(client));
    const std::string name = "context:{saved}:a";
    const auto slot = redis::slot_of(name);
    client.ask({"SET", name, "text"});
    auto from = cluster.primary_of(slot);
    auto to = cluster.other_primary(from);
    redis::cache values(client.loop().get_executor(), *client);
    bool over_before = false;
    for (std::size_t steps = 0; !over_before; ++steps) {
        CAPTURE(steps);
        REQUIRE(steps < 1'000);
        std::optional<core::result<redis::saved_state>> state;
        asio::co_spawn(client.loop(), redis::load_state(values, std::string(redis::default_bridge)),
                       [&](const std::exception_ptr& error, core::result<redis::saved_state> s) {
                           CHECK(!error);
                           state.emplace(std::move(s));
                       });
        client.step(steps);
        over_before = state.has_value();
        cluster.begin_move(slot, from, to);
        cluster.end_move(slot, from, to);
        std::swap(from, to);
        REQUIRE(client.until([&] { return state.has_value(); }));
        REQUIRE(state->has_value());
        REQUIRE((*state)->contexts.size() == 1);
        CHECK((*state)->contexts.front().second == "text");
    }
    client.ask({"DEL", name});
}

TEST_CASE("the cache sees the keys of all nodes") {
    auto& cluster = shared_cluster();
    driven_client client(from_url(cluster.url()));
    REQUIRE(all_connected(client));
    redis::cache values(client.loop().get_executor(), *client);
    std::optional<std::vector<std::string>> keys;
    std::optional<redis::cache::information> before, after;
    const auto ask = [&](auto task, auto& answer) {
        asio::co_spawn(client.loop(), std::move(task),
                       [&answer](const std::exception_ptr& error, auto value) {
                           CHECK(!error);
                           answer.emplace(std::move(value));
                       });
        REQUIRE(client.until([&] { return answer.has_value(); }));
    };
    ask(values.info(), before);
    constexpr std::size_t count = 50;
    for (std::size_t i = 0; i < count; ++i)
        client.ask({"SET", "seen" + std::to_string(i), "x"});
    ask(values.info(), after);
    ask(values.keys("seen*", 1'000), keys);
    CHECK(keys->size() == count);
    CHECK(after->entries == before->entries + count);
    for (const auto& key : *keys)
        client.ask({"DEL", key});
}

TEST_CASE("a primary that is killed: its replica takes over, the other nodes go on meanwhile") {
    redis_cluster cluster;
    driven_client client(from_url(cluster.url()));
    REQUIRE(all_connected(client));
    const std::string key = "a";
    const auto slot = redis::slot_of(key);
    const auto old = cluster.primary_of(slot);
    const std::string other = elsewhere(cluster, key);
    CHECK(client.ask({"SET", key, "kept"}).text == "OK");
    CHECK(client.ask({"SET", other, "kept"}).text == "OK");
    REQUIRE(cluster.server(old).integer({"WAIT", "1", "5000"}) == 1);
    cluster.set_node_timeout(2s);
    cluster.server(old).kill();
    bool went_on = false;
    REQUIRE(client.until([&] {
        redis::pipeline p;
        p.add({"GET", key});
        p.add({"GET", other});
        const auto answer = client.execute(std::move(p));
        if (!answer) return false;
        went_on = went_on || ((*answer)[0].text.starts_with("CLUSTERDOWN") && (*answer)[1].text == "kept");
        return (*answer)[0].text == "kept";
    }));
    CHECK(went_on);
    const auto next = cluster.primary_of(slot);
    CHECK(next != old);
    const auto words = " went from 127.0.0.1:" + std::to_string(cluster.server(old).port()) +
                       " to 127.0.0.1:" + std::to_string(cluster.server(next).port());
    const std::string log = client.log().text();
    CHECK(log.find(words) != std::string::npos);
    CHECK(log.find(words, log.find(words) + 1) == std::string::npos);
    // The lost one is left in the end, and not tried for ever.
    for (const auto& server : client->primaries())
        CHECK(server.port != cluster.server(old).port());
}

TEST_CASE("a primary that hangs is left when its replica has taken over") {
    redis_cluster cluster;
    auto o = from_url(cluster.url());
    o.command_timeout = 1s;
    driven_client client(o);
    REQUIRE(all_connected(client));
    const auto slot = redis::slot_of("a");
    const auto old = cluster.primary_of(slot);
    CHECK(client.ask({"SET", "a", "1"}).text == "OK");
    cluster.set_node_timeout(2s);
    cluster.server(old).pause();
    CHECK(client.until([&] { return client.ask({"SET", "a", "2"}).text == "OK"; }));
    // When it wakes up it takes itself for the primary for a moment; nothing goes there any more.
    cluster.server(old).resume();
    CHECK(client.until([&] { return cluster.server(old).command({"ROLE"}).front() == "slave"; }));
    CHECK(client.ask({"GET", "a"}).text == "2");
}

TEST_CASE("with a password the cluster is joined at every node") {
    redis_cluster cluster("of-cluster");
    driven_client client(from_url(cluster.url()));
    REQUIRE(all_connected(client));
    for (const char* key : {"a", "b", "c"})
        CHECK(client.ask({"SET", key, "1"}).text == "OK");
    CHECK_FALSE(client.log().holds("of-cluster"));
}

TEST_CASE("with rediss+cluster the nodes are asked and served over TLS") {
    support::temporary_folder folder;
    support::certificates files(folder);
    redis_server::settings wanted;
    wanted.persistent = false;
    wanted.tls = &files;
    wanted.arguments = {"--cluster-enabled", "yes",
                        "--tls-cluster",     "yes",
                        "--cluster-port",    std::to_string(support::free_port())};
    redis_server server(wanted);
    server.command({"CLUSTER", "ADDSLOTSRANGE", "0", "16383"});
    auto o = from_url("rediss+cluster://localhost:" + std::to_string(server.tls_port()));
    o.ca_file = files.ca;
    driven_client client(o);
    REQUIRE(client.until_connected());
    REQUIRE(client.until([&] { return client.ask({"SET", "a", "1"}).text == "OK"; }));
    CHECK(client->primaries() == std::vector<redis::address>{{"localhost", server.tls_port()}});
}

TEST_CASE("a cluster with slots that nobody has is not begun with") {
    redis_server::settings wanted;
    wanted.persistent = false;
    wanted.arguments = {"--cluster-enabled", "yes", "--cluster-port", std::to_string(support::free_port())};
    redis_server server(wanted);
    server.command({"CLUSTER", "ADDSLOTSRANGE", "0", "16000"});
    driven_client client(from_url("redis+cluster://127.0.0.1:" + std::to_string(server.port())));
    REQUIRE(client.until([&] { return client->current().attempts >= 2; }));
    CHECK(client->current().last_error == "383 slots of the cluster have no server");
    CHECK_FALSE(client->connected());
    server.command({"CLUSTER", "ADDSLOTSRANGE", "16001", "16383"});
    CHECK(client.until_connected());
}

TEST_CASE("a server that is no cluster is told as such") {
    redis_server server;
    driven_client client(from_url("redis+cluster://127.0.0.1:" + std::to_string(server.port())));
    REQUIRE(client.until([&] { return client->current().attempts >= 1; }));
    CHECK(client->current().last_error ==
          "no node of the cluster answers; 127.0.0.1:" + std::to_string(server.port()) +
              ": it answered: ERR This instance has cluster support disabled; this Redis is no cluster, so "
              "write "
              "redis:// in REDIS_URL");
    const auto answer = client.execute(command({"PING"}));
    REQUIRE(answer.has_error());
    CHECK(answer.error().code == core::errc::connection_lost);
    CHECK(answer.error().message.find("no cluster") != std::string::npos);
}

TEST_CASE("no node that answers: each is named, and stop() ends the waiting") {
    const auto nothing = support::free_port();
    driven_client client(from_url("redis+cluster://127.0.0.1:" + std::to_string(nothing)));
    REQUIRE(client.until([&] { return client->current().attempts >= 2; }));
    CHECK(client->current().last_error.starts_with(
        "no node of the cluster answers; 127.0.0.1:" + std::to_string(nothing) + ": cannot connect to "));
    client->stop();
    CHECK(client.until([&] { return client.ended(); }));
}

TEST_CASE("stop() ends a cluster's client at every step from the start to service") {
    auto o = from_url(shared_cluster().url());
    o.connect_timeout = 1h;
    o.command_timeout = 1h;
    bool served = false;
    for (std::size_t steps = 0; !served; ++steps) {
        CAPTURE(steps);
        REQUIRE(steps < 1'000);
        driven_client client(o);
        client.step(steps);
        served = client->generation() == 3;
        client->stop();
        CHECK(client.until([&] { return client.ended(); }));
        CHECK_FALSE(client->connected());
    }
}
