// Several targets in one round trip.
#include "redis/pusher.hpp"

#include <doctest/doctest.h>

#include "driven_client.hpp"
#include "support/redis_server.hpp"

using namespace postrider;
using namespace postrider::test;

namespace {

// A pusher that leads, with two targets.
struct two_targets {
    two_targets() : c(quick(server.port())) {
        REQUIRE(c.until_connected());
        redis::pusher_sink sink;
        sink.delivered = [this](std::vector<redis::delivery> all) {
            for (auto& d : all)
                delivered.push_back(d.body);
        };
        sink.refused = [this](redis::delivery d, const std::string&) { refused.push_back(d.body); };
        sink.place_of = [](std::size_t) { return redis::place{}; };
        sink.stream_fields = [](const redis::delivery&) { return std::vector<std::string>(); };
        sink.server_changed = [] {};
        sink.cannot_save = [] {};
        sink.deposed = [](const std::string&) {};
        redis::saver_settings saves;
        saves.groups_of = [](std::size_t) {
            return redis::open_groups{
                [](std::size_t, const redis::open_groups::visitor&) { return std::size_t{0}; },
                [] { return false; }, [](std::size_t, std::string_view) {},
                [] { return std::optional<core::steady::time_point>(); }};
        };
        saves.context_ttl = 60s;
        p.emplace(c.loop().get_executor(), *c, std::move(saves), std::move(sink), "writer",
                  std::string(redis::default_bridge));
        first = p->line_to({.kind = event::target_kind::list, .name = "first"});
        second = p->line_to({.kind = event::target_kind::list, .name = "second"});
        p->lead();
    }
    ~two_targets() {
        p->stop();
        CHECK(c.until([&] { return ended; }));
    }
    void add(std::size_t line, std::string text) {
        redis::delivery d;
        d.body = std::move(text);
        p->add(line, std::move(d));
    }
    void run() {
        asio::co_spawn(c.loop(), p->run(), [this](const std::exception_ptr& error) {
            CHECK(!error);
            ended = true;
        });
    }

    support::redis_server server;
    driven_client c;
    std::vector<std::string> delivered;
    std::vector<std::string> refused;
    std::optional<redis::pusher> p;
    std::size_t first = 0;
    std::size_t second = 0;
    bool ended = false;
};

}  // namespace

TEST_CASE("every answer of a round trip is read as that of its own target") {
    two_targets t;
    t.server.command({"SET", "second", "no list"});
    // All of it is there before the first round: a value beside the one target, a push to the other.
    t.p->saves(t.first).save("value", "x", 60s);
    t.p->saves_changed(t.first);
    t.add(t.second, "to second");
    t.run();
    REQUIRE(t.c.until([&] { return t.p->current().finished == 1 && !t.p->has_saves(); }));
    CHECK(t.delivered.empty());
    CHECK(t.refused == std::vector<std::string>{"to second"});
    CHECK(t.server.command({"GET", "value"}).front() == "x");
}

TEST_CASE("each target says for itself why its pushes wait, until they do not") {
    two_targets t;
    t.run();
    CHECK(t.p->refusals().empty());
    t.server.command({"CONFIG", "SET", "maxmemory", "1"});
    t.add(t.second, "a");
    const std::string words = "OOM command not allowed";
    REQUIRE(t.c.until([&] { return t.p->refusals().starts_with("second: " + words); }));
    CHECK(t.p->refusals().find("first: ") == std::string::npos);
    t.add(t.first, "b");
    REQUIRE(t.c.until([&] { return t.p->refusals().starts_with("first: " + words); }));
    CHECK(t.p->refusals().find("; second: " + words) != std::string::npos);
    t.server.command({"CONFIG", "SET", "maxmemory", "0"});
    REQUIRE(t.c.until([&] { return t.delivered.size() == 2; }));
    CHECK(t.p->refusals().empty());
}

TEST_CASE(
    "who steps down is troubled no more by what Redis did not save, and says it again when he leads again") {
    two_targets t;
    t.run();
    // The connection's own preparation is done.
    t.add(t.first, "a");
    REQUIRE(t.c.until([&] { return t.delivered.size() == 1; }));
    t.server.command({"CONFIG", "SET", "maxmemory", "1"});
    const auto said = [&] {
        const auto log = t.c.log().text();
        std::size_t n = 0;
        for (auto at = log.find("cannot be saved"); at != std::string::npos;
             at = log.find("cannot be saved", at + 1))
            ++n;
        return n;
    };
    const auto is_refused = [&](std::size_t times) {
        t.p->saves(t.first).save("value", "x", 60s);
        t.p->saves_changed(t.first);
        return t.c.until([&] { return !t.p->current().save_error.empty() && said() == times; });
    };
    REQUIRE(is_refused(1));
    t.p->step_down();
    CHECK(t.p->current().save_error.empty());
    CHECK(!t.p->has_saves());
    t.p->lead();
    CHECK(is_refused(2));
}
