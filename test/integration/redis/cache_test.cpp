// The cache over a real Redis that goes away and comes back.
#include "redis/cache.hpp"

#include <doctest/doctest.h>

#include "driven_client.hpp"
#include "support/redis_server.hpp"
#include "support/tcp_gate.hpp"

using namespace postrider;
using namespace postrider::test;
using redis::cache;

namespace {

redis::cache_settings fast() {
    redis::cache_settings s;
    s.watch = 5ms;
    s.step = 5ms;
    s.backoff_cap = 100ms;
    return s;
}

// A cache at work on a client's loop.
struct working {
    explicit working(redis::options o, redis::cache_settings s = fast())
        : client(std::move(o)), it(client.loop().get_executor(), *client, s) {
        asio::co_spawn(client.loop(), it.run(), [this](const std::exception_ptr& error) {
            CHECK_MESSAGE(!error, "run() ended with an exception");
            ended = true;
        });
    }
    ~working() {
        it.close();
        CHECK(client.until([this] { return ended; }));
    }
    template <class T>
    T value_of(asio::awaitable<T> task) {
        std::optional<T> value;
        asio::co_spawn(client.loop(), std::move(task), [&](const std::exception_ptr& error, T v) {
            CHECK(!error);
            value.emplace(std::move(v));
        });
        if (!client.until([&] { return value.has_value(); }, 60s)) std::abort();
        return std::move(*value);
    }
    void does(asio::awaitable<void> task) {
        bool done = false;
        asio::co_spawn(client.loop(), std::move(task), [&](const std::exception_ptr& error) {
            CHECK(!error);
            done = true;
        });
        if (!client.until([&] { return done; }, 60s)) std::abort();
    }
    std::string get(const std::string& key) { return value_of(it.get(key)).value_or("none"); }
    bool becomes(cache::mode m) {
        return client.until([&] { return it.stats().mode == m; });
    }

    driven_client client;
    bool connected = client.until_connected();  // before the cache looks for it
    bool ended = false;
    cache it;
};

std::size_t times(const std::string& text, const std::string& words) {
    std::size_t n = 0;
    for (auto at = text.find(words); at != std::string::npos; at = text.find(words, at + 1))
        ++n;
    return n;
}

}  // namespace

TEST_CASE("while Redis is there the values stand in it") {
    support::redis_server server;
    working c(quick(server.port()));
    REQUIRE(c.connected);
    CHECK(c.get("a") == "none");
    c.does(c.it.set("a", "1"));
    c.does(c.it.setex("b", 100s, "2"));
    CHECK(server.command({"GET", "a"}).front() == "1");
    CHECK(server.integer({"PTTL", "a"}) == -1);
    CHECK(server.integer({"PTTL", "b"}) > 90'000);
    CHECK(c.get("a") == "1");
    CHECK(c.value_of(c.it.keys("*", 10)).size() == 2);
    CHECK(c.value_of(c.it.keys("[b]", 10)) == std::vector<std::string>{"b"});
    CHECK(c.value_of(c.it.keys("*", 1)).size() == 1);
    CHECK(c.value_of(c.it.del("a")));
    CHECK(!c.value_of(c.it.del("a")));
    CHECK(c.it.is_available());
    const auto info = c.value_of(c.it.info());
    CHECK(info.entries == 1);
    CHECK(!info.used_memory_human.empty());
    const auto s = c.it.stats();
    CHECK(s.redis.hits == 1);
    CHECK(s.redis.misses == 1);
    CHECK(s.memory.hits + s.memory.misses == 0);
    // A key of another type is a miss, and no outage.
    server.command({"RPUSH", "list", "x"});
    CHECK(c.get("list") == "none");
    CHECK(c.it.is_available());
}

TEST_CASE(
    "Redis goes and comes: what was written and deleted meanwhile goes along, with what is left of its "
    "time") {
    support::redis_server server;
    working c(quick(server.port()));
    REQUIRE(c.connected);
    for (const auto* key : {"kept", "changed", "deleted", "expired"})
        c.does(c.it.set(key, "before"));
    server.stop();
    // The very first command notices, and nobody gets an error.
    c.does(c.it.set("changed", "after"));
    CHECK(c.it.stats().mode == cache::mode::memory);
    CHECK(!c.it.is_available());
    CHECK(c.get("changed") == "after");
    CHECK(c.get("kept") == "none");
    CHECK(!c.value_of(c.it.del("deleted")));
    c.does(c.it.setex("expired", 1ms, "short"));
    c.does(c.it.setex("timed", 100s, "t"));
    for (int i = 0; i < 1'000; ++i)
        c.does(c.it.set("many" + std::to_string(i), std::to_string(i)));
    CHECK(c.value_of(c.it.keys("many*", 5'000)).size() == 1'000);
    CHECK(c.value_of(c.it.info()).entries >= 1'002);
    server.start();
    REQUIRE(c.becomes(cache::mode::redis));
    CHECK(c.it.is_available());
    CHECK(server.command({"GET", "kept"}).front() == "before");
    CHECK(server.command({"GET", "changed"}).front() == "after");
    CHECK(server.integer({"EXISTS", "deleted", "expired"}) == 0);
    CHECK(server.integer({"PTTL", "timed"}) > 50'000);
    CHECK(server.integer({"PTTL", "timed"}) <= 100'000);
    CHECK(server.integer({"DBSIZE"}) == 1'003);
    CHECK(c.get("many999") == "999");
    CHECK(c.it.stats().entries == 0);
    const auto s = c.it.stats();
    CHECK(s.memory.hits == 1);
    CHECK(s.memory.misses == 1);
    CHECK(times(c.client.log().text(), "cache: in memory while Redis is away") == 1);
    CHECK(times(c.client.log().text(), "cache: back in Redis after") == 1);
}

TEST_CASE("a write on the way back is not overwritten by an older one") {
    support::redis_server server;
    support::tcp_gate gate(server.port());
    working c(quick(gate.port()));
    REQUIRE(c.connected);
    gate.refuse();
    for (int i = 0; i < 1'000; ++i)
        c.does(c.it.set("k" + std::to_string(i), "old"));
    gate.delay(30ms);
    gate.pass();
    gate.delay(30ms);
    // Rounds are under way: each takes two delays.
    REQUIRE(c.client.until([&] { return server.integer({"DBSIZE"}) > 0; }));
    CHECK(c.it.stats().mode == cache::mode::memory);
    c.does(c.it.set("k0", "new"));
    c.does(c.it.set("k999", "new"));
    CHECK(!c.value_of(c.it.del("never")));
    CHECK(c.value_of(c.it.del("k1")));
    REQUIRE(c.becomes(cache::mode::redis));
    CHECK(server.command({"GET", "k0"}).front() == "new");
    CHECK(server.command({"GET", "k999"}).front() == "new");
    CHECK(server.integer({"EXISTS", "k1"}) == 0);
    CHECK(server.integer({"DBSIZE"}) == 999);
}

TEST_CASE("a write whose answer was lost is written again, and writers of one key keep their order") {
    support::redis_server server;
    support::tcp_gate gate(server.port());
    working c(quick(gate.port()));
    REQUIRE(c.connected);
    gate.swallow(support::tcp_gate::direction::to_client);
    int done = 0;
    for (int i = 0; i < 50; ++i)
        asio::co_spawn(c.client.loop(), c.it.set("k", std::to_string(i)),
                       [&](const std::exception_ptr&) { ++done; });
    REQUIRE(c.client.until([&] { return !server.command({"GET", "k"}).empty(); }));
    gate.cut();
    gate.pass();
    REQUIRE(c.client.until([&] { return done == 50; }));
    CHECK(c.get("k") == "49");
    REQUIRE(c.becomes(cache::mode::redis));
    CHECK(server.command({"GET", "k"}).front() == "49");
}

TEST_CASE("a Redis that is full for a while is one that is away") {
    support::redis_server server;
    working c(quick(server.port()));
    REQUIRE(c.connected);
    server.command({"CONFIG", "SET", "maxmemory", "1"});
    c.does(c.it.set("a", "1"));
    CHECK(c.it.stats().mode == cache::mode::memory);
    CHECK(c.get("a") == "1");
    // It answers, and yet it is no place to go back to.
    c.client.until([&] { return c.it.stats().mode == cache::mode::redis; }, 1s);
    CHECK(c.it.stats().mode == cache::mode::memory);
    server.command({"CONFIG", "SET", "maxmemory", "0"});
    REQUIRE(c.becomes(cache::mode::redis));
    CHECK(server.command({"GET", "a"}).front() == "1");
}

TEST_CASE("memory is bounded, what was evicted is missing afterwards, and a closed cache does nothing") {
    support::redis_server server;
    auto s = fast();
    s.entries = 100;
    working c(quick(server.port()), s);
    REQUIRE(c.connected);
    c.does(c.it.set("k0", "stale"));
    server.stop();
    for (int i = 0; i < 150; ++i)
        c.does(c.it.set("k" + std::to_string(i), "x"));
    CHECK(c.it.stats().entries == 100);
    CHECK(c.it.stats().memory.evictions == 50);
    server.start();
    REQUIRE(c.becomes(cache::mode::redis));
    CHECK(server.integer({"DBSIZE"}) == 100);
    CHECK(c.get("k0") == "none");
    c.it.close();
    c.does(c.it.set("late", "x"));
    CHECK(c.get("k149") == "none");
    CHECK(server.integer({"EXISTS", "late"}) == 0);
}

namespace {

// Somebody who holds one value and says what the test wants.
struct holder {
    std::optional<std::string> text = "mine";
    core::steady::time_point saved = core::steady::time_point::max();
    std::string hindrance;

    redis::held_values values() {
        redis::held_values h;
        h.count = [this] { return text ? 1U : 0U; };
        h.find = [this](std::string_view key) { return key == "held" ? text : std::nullopt; };
        h.visit_keys = [this](const std::function<bool(std::string)>& visit) {
            if (text) visit("held");
        };
        h.saved_until = [this](core::steady::time_point) { return saved; };
        h.hindrance = [this] { return hindrance; };
        return h;
    }
};

}  // namespace

TEST_CASE("a held value is found without Redis however full the memory is, and its holder alone writes it") {
    support::redis_server server;
    holder owner;
    auto s = fast();
    s.entries = 10;
    working c(quick(server.port()), s);
    REQUIRE(c.connected);
    c.it.hold(owner.values());
    server.command({"SET", "held", "as its holder has written it"});
    CHECK(c.get("held") == "as its holder has written it");
    c.does(c.it.set("held", "other"));
    c.does(c.it.setex("held", 100s, "other"));
    CHECK(!c.value_of(c.it.del("held")));
    CHECK(server.command({"GET", "held"}).front() == "as its holder has written it");
    CHECK(c.it.stats().refused == 3);
    CHECK(c.it.stats().entries == 0);
    server.stop();
    REQUIRE(c.becomes(cache::mode::memory));
    for (int i = 0; i < 50; ++i)
        c.does(c.it.set("k" + std::to_string(i), "x"));
    c.does(c.it.set("held", "other"));
    CHECK(!c.value_of(c.it.del("held")));
    CHECK(c.get("held") == "mine");
    CHECK(c.it.stats().memory.hits == 1);
    CHECK(c.it.stats().entries == 11);
    CHECK(c.value_of(c.it.info()).entries == 11);
    CHECK(c.value_of(c.it.keys("he?d", 10)) == std::vector<std::string>{"held"});
    CHECK(c.value_of(c.it.keys("*", 100)).size() == 11);
    CHECK(c.value_of(c.it.keys("*", 5)).size() == 5);
    owner.text.reset();
    CHECK(c.get("held") == "none");
    CHECK(c.it.stats().entries == 10);
    server.start();
    REQUIRE(c.becomes(cache::mode::redis));
    // It was its holder's to delete.
    CHECK(server.integer({"EXISTS", "k49", "held"}) == 2);
}

TEST_CASE("the way back ends when what is held stands in Redis as it was when Redis came back") {
    support::redis_server server;
    holder owner;
    working c(quick(server.port()));
    REQUIRE(c.connected);
    c.it.hold(owner.values());
    server.stop();
    REQUIRE(c.becomes(cache::mode::memory));
    owner.saved = core::steady::now();
    server.start();
    REQUIRE(c.client.until_connected());
    // However often it is looked at: the answers to its pings are counted by Redis.
    const auto pings = [&] {
        const auto told = server.command({"INFO", "commandstats"}).front();
        const auto at = told.find("cmdstat_ping:calls=");
        return at == std::string::npos ? 0 : std::stoi(told.substr(at + 19));
    };
    const auto before = pings();
    REQUIRE(c.client.until([&] { return pings() >= before + 5; }));
    CHECK(c.it.stats().mode == cache::mode::memory);
    CHECK(c.get("held") == "mine");
    owner.saved = core::steady::time_point::max();
    REQUIRE(c.becomes(cache::mode::redis));
}

TEST_CASE("while Redis does not take what is held the memory is in use") {
    support::redis_server server;
    holder owner;
    working c(quick(server.port()));
    REQUIRE(c.connected);
    c.it.hold(owner.values());
    owner.hindrance = "OOM command not allowed";
    REQUIRE(c.becomes(cache::mode::memory));
    CHECK(c.client.log().text().find("OOM command not allowed") != std::string::npos);
    CHECK(c.get("held") == "mine");
    owner.hindrance.clear();
    REQUIRE(c.becomes(cache::mode::redis));
}

TEST_CASE("what is loaded is what stands in Redis, or an error, never an empty memory") {
    support::redis_server server;
    working c(quick(server.port()));
    REQUIRE(c.connected);
    server.command({"MSET", "a:1", "one", "a:2", "two", "b", "three"});
    server.command({"RPUSH", "a:list", "x"});
    using texts = std::vector<std::pair<std::string, std::string>>;
    const auto found = c.value_of(c.it.load("a:*"));
    REQUIRE(found.has_value());
    CHECK(*found == texts{{"a:1", "one"}, {"a:2", "two"}});
    CHECK(c.it.stats().redis.hits == 2);
    server.stop();
    REQUIRE(c.becomes(cache::mode::memory));
    c.does(c.it.set("a:3", "only here"));
    CHECK_FALSE(c.value_of(c.it.load("a:*")).has_value());
}
