// The answer to a push is lost, and with it the process that waited for it.
#include <doctest/doctest.h>

#include "message_table.hpp"
#include "running_postrider.hpp"
#include "servers.hpp"
#include "support/eventually.hpp"
#include "support/tcp_gate.hpp"

namespace postrider::test {
namespace {

// One route from the table of messages, which catches up; a group is open for long enough to be saved first.
std::string route(const std::string& policy, const std::string& target) {
    return R"(
[[route]]
name = "out"
channel = "chat"
id = "/id"
catch_up = "SELECT payload FROM messages WHERE created_at >= $1 ORDER BY n"
key = "/match_id"
to = "out"
policy = ")" +
           policy + "\"\ntarget = \"" + target + "\"\n" +
           (policy == "group" ? "window = \"500ms\"\ncooldown = \"0s\"\n" : "");
}

// What reached a stream or a channel, as one text.
class reader {
 public:
    reader(support::redis_server& redis, bool stream) : redis_(redis), stream_(stream) {
        if (stream_) return;
        support::process::settings program;
        program.arguments = {"redis-cli", "-p", std::to_string(redis.port()), "SUBSCRIBE", "out"};
        subscriber_.emplace(std::move(program));
        REQUIRE(support::eventually([&] {
            return redis_.command({"PUBSUB", "NUMSUB", "out"}) == std::vector<std::string>{"out", "1"};
        }));
    }
    std::vector<std::string> all() {
        if (!stream_) return {subscriber_->output()};
        return redis_.command({"XRANGE", "out", "-", "+"});
    }
    bool has(std::size_t messages, std::chrono::seconds limit = 30s) {
        return support::eventually([&] { return ids_in(all()).size() >= messages; }, limit);
    }
    // Everything that was sent by now; what a channel carries later comes behind the mark.
    std::vector<std::string> all_by_now() {
        if (stream_) return all();
        redis_.command({"PUBLISH", "out", "end"});
        REQUIRE(subscriber_->wait_for_output("message\nout\nend\n"));
        return all();
    }

 private:
    support::redis_server& redis_;
    bool stream_;
    std::optional<support::process> subscriber_;
};

TEST_CASE("killed while the answer to a push is lost: the next process pushes none of it again") {
    std::string policy = "immediate";
    std::string target = "stream";
    SUBCASE("single events to a stream") {}
    SUBCASE("groups to a stream") {
        policy = "group";
    }
    SUBCASE("single events to a channel") {
        target = "pubsub";
    }
    auto& redis = shared_redis();
    message_table table(shared_postgres().url());
    reader out(redis, target == "stream");
    support::tcp_gate gate(redis.port());
    running_postrider bridge({.postgres_url = shared_postgres().url(),
                              .redis_url = redis_at(gate.port()),
                              .file = route(policy, target),
                              .environment = {{"REDIS_SOCKET_TIMEOUT", "300"}}});
    INFO(bridge.end_of_log());
    REQUIRE(bridge.becomes_ready());
    bool lost = false;
    // Where something else was under way, the push waits behind it, and the next one is tried.
    for (int attempt = 0; attempt < 10 && !lost; ++attempt) {
        REQUIRE(table.write("a"));
        if (policy == "group") {
            // A group that left before it was seen is an attempt without luck.
            REQUIRE(support::eventually([&] {
                return redis.integer({"EXISTS", "context@out:a"}) == 1 || out.has(table.talk().total(), 0s);
            }));
            if (out.has(table.talk().total(), 0s)) continue;
        } else {
            REQUIRE(out.has(table.talk().total()));
        }
        // Whatever was under way has been answered before this.
        REQUIRE(bridge.get("/redis/ping").status == 200);
        gate.swallow(support::tcp_gate::direction::to_client);
        if (policy == "immediate") REQUIRE(table.write("a"));
        lost = out.has(table.talk().total(), 3s);
        if (lost) break;
        gate.pass();
        gate.cut();
        REQUIRE(out.has(table.talk().total()));
    }
    REQUIRE(lost);
    bridge.kill();
    gate.pass();
    bridge.start();
    REQUIRE(bridge.becomes_ready());
    REQUIRE(table.write("a"));
    REQUIRE(out.has(table.talk().total()));
    REQUIRE(bridge.answers("/stats", R"("waiting":0)"));
    REQUIRE(bridge.answers("/stats", R"("open":0)"));
    CHECK(table.talk().verdict(out.all_by_now()) == "");
}

}  // namespace
}  // namespace postrider::test
