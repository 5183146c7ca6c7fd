// Slow clients and many requests at once, and what the service is there for goes on.
#include <doctest/doctest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "chat.hpp"
#include "running_postrider.hpp"
#include "servers.hpp"
#include "support/eventually.hpp"

namespace postrider::test {
namespace {

constexpr const char* immediate = R"(
[[route]]
name = "single"
channel = "chat"
policy = "immediate"
to = "singles"
)";

constexpr std::size_t places = 512;
constexpr std::size_t askers = 32;
constexpr std::string_view end_of_answer = R"("version")";  // one in each answer to /health

// Asks all the time, over connections of its own, each with several requests under way.
class requests {
 public:
    explicit requests(std::uint16_t port) : port_(port), thread_([this] { ask(); }) {}
    ~requests() {
        over_ = true;
        thread_.join();
    }
    std::size_t answered() const { return answered_; }  // bursts of requests

 private:
    static constexpr std::size_t at_once = 8;

    void ask() {
        std::string burst;
        for (std::size_t i = 0; i < at_once; ++i)
            burst += "GET /health HTTP/1.1\r\nHost: test\r\n\r\n";
        while (!over_) {
            std::vector<raw_connection> open;
            for (std::size_t i = 0; i < askers; ++i)
                open.emplace_back(port_, burst);
            // Fewer than the 1,000 requests after which a connection has served enough.
            for (int round = 0; round < 100 && !over_; ++round)
                for (auto& each : open) {
                    receive(each);
                    each.send(burst);
                }
        }
    }
    void receive(raw_connection& from) {
        std::string text;
        while (answers_in(text) < at_once && !over_) {
            const auto more = from.receive_some();
            if (more.empty()) return;
            text += more;
        }
        ++answered_;
    }
    static std::size_t answers_in(const std::string& text) {
        std::size_t count = 0;
        for (auto at = text.find(end_of_answer); at != std::string::npos;
             at = text.find(end_of_answer, at + 1))
            ++count;
        return count;
    }

    const std::uint16_t port_;
    std::atomic<bool> over_ = false;
    std::atomic<std::size_t> answered_ = 0;
    std::thread thread_;
};

// One that never ends its headers, one that has hardly begun, or (a few, for they cost memory) one that takes
// none of its many answers.
std::string slow(std::size_t number) {
    if (number % 2 == 0) return "GET /health HTTP/1.1\r\nHost: te";
    if (number % 64 != 63) return "G";
    std::string many;
    for (int i = 0; i < 300; ++i)
        many += "GET / HTTP/1.1\r\nHost: test\r\n\r\n";
    return many;
}

TEST_CASE("slow clients in all places and a stream of requests hold up no event") {
    auto& redis = shared_redis();
    support::sql database(shared_postgres().url());
    running_postrider bridge(
        {.postgres_url = shared_postgres().url(), .redis_url = redis.url(), .file = immediate});
    INFO(bridge.end_of_log());
    REQUIRE(bridge.becomes_ready());
    std::vector<raw_connection> held;
    // On a busy machine the first may have had their time before the last have come.
    const bool full = support::eventually(
        [&] {
            held.clear();
            for (std::size_t i = 0; i < places + askers; ++i)
                held.emplace_back(bridge.port(), slow(i));
            return bridge.logs("512 connections are open, as many as allowed", 10s);
        },
        60s);
    REQUIRE(full);
    const std::string endless(1 << 20, 'x');
    const requests asking(bridge.port());
    chat talk;
    for (std::size_t round = 0; round < 10; ++round) {
        CAPTURE(round);
        // Most of it is turned away; whether it is taken does not matter here.
        held[round].send(endless);
        const auto before = asking.answered();
        for (int i = 0; i < 50; ++i)
            database.notify("chat", talk.next("k" + std::to_string(i % 5)));
        REQUIRE(wait_for_list(redis, "singles", talk.total(), 60s).size() == talk.total());
        // So that events and requests are under way at the same time, in each round.
        REQUIRE(support::eventually([&] { return asking.answered() > before; }));
    }
    CHECK(talk.verdict(redis.list("singles")) == "");
    CHECK(bridge.get("/health").status == 200);
}

}  // namespace
}  // namespace postrider::test
