#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "driven_client.hpp"
#include "support/redis_server.hpp"

using namespace postrider;
using namespace postrider::test;
using support::redis_server;

namespace {

constexpr int callers = 100;
constexpr int rounds = 100;

struct tally {
    int finished = 0;
    int wrong = 0;
};

// Each round asks for an echo only this caller can expect, and counts one up.
asio::awaitable<void> converse(redis::client& client, int caller, tally& sum) {
    for (int round = 0; round < rounds; ++round) {
        const std::string mine = std::to_string(caller) + '-' + std::to_string(round);
        const std::string counter = "counter:" + std::to_string(caller);
        redis::pipeline commands;
        commands.add({"ECHO", mine});
        commands.add({"INCR", counter});
        auto answer = co_await client.execute(std::move(commands));
        const bool right =
            answer && answer->size() == 2 && (*answer)[0].text == mine && (*answer)[1].integer == round + 1;
        if (!right) ++sum.wrong;
    }
    ++sum.finished;
}

}  // namespace

TEST_CASE("every one of many callers gets its own replies, in order") {
    redis_server server;
    driven_client client(quick(server.port()));
    REQUIRE(client.until_connected());
    tally sum;
    for (int caller = 0; caller < callers; ++caller)
        asio::co_spawn(client.loop(), converse(*client, caller, sum), [](const std::exception_ptr& error) {
            CHECK_MESSAGE(!error, "a caller ended with an exception");
        });
    REQUIRE(client.until([&] { return sum.finished == callers; }, 120s));
    CHECK(sum.wrong == 0);
    CHECK(server.integer({"DBSIZE"}) == callers);
}

TEST_CASE("what many callers send at once leaves in few writes") {
    redis_server server;
    driven_client client(quick(server.port()));
    REQUIRE(client.until_connected());
    client.ask({"CONFIG", "RESETSTAT"});
    std::vector<std::optional<core::result<std::vector<redis::reply>>>> answers(1'000);
    for (auto& answer : answers)
        client.start(command({"PING"}), answer);
    REQUIRE(client.until([&] {
        return std::all_of(answers.begin(), answers.end(), [](const auto& a) { return a.has_value(); });
    }));
    for (const auto& answer : answers)
        CHECK((*answer)->front().text == "PONG");
    const std::string info = client.ask({"INFO", "stats"}).text;
    const auto at = info.find("total_reads_processed:");
    REQUIRE(at != std::string::npos);
    CHECK(std::stoi(info.substr(at + 22)) < 50);
}

TEST_CASE("a megabyte in one command and many in one reply arrive whole") {
    redis_server server;
    driven_client client(quick(server.port()));
    REQUIRE(client.until_connected());
    const std::string text(1'000, 'x');
    std::vector<std::string_view> words{"RPUSH", "list"};
    words.resize(2 + 5'000, text);
    redis::pipeline p;
    p.add(words);
    const auto pushed = client.execute(std::move(p));
    REQUIRE(pushed.has_value());
    CHECK(pushed->front().integer == 5'000);
    const auto list = client.ask({"LRANGE", "list", "0", "-1"});
    REQUIRE(list.items.size() == 5'000);
    for (const auto& item : list.items)
        CHECK((item.text == text));
}

TEST_CASE("an error reply is a reply and does not touch its neighbours") {
    redis_server server;
    driven_client client(quick(server.port()));
    REQUIRE(client.until_connected());
    redis::pipeline p;
    p.add({"SET", "a", "text"});
    p.add({"RPUSH", "a", "x"});
    p.add({"GET", "a"});
    const auto answer = client.execute(std::move(p));
    REQUIRE(answer.has_value());
    REQUIRE(answer->size() == 3);
    CHECK((*answer)[1].is_error());
    CHECK((*answer)[1].text.starts_with("WRONGTYPE"));
    CHECK((*answer)[2].text == "text");
}

TEST_CASE("no commands have no replies") {
    redis_server server;
    driven_client client(quick(server.port()));
    REQUIRE(client.until_connected());
    const auto answer = client.execute(redis::pipeline());
    REQUIRE(answer.has_value());
    CHECK(answer->empty());
}
