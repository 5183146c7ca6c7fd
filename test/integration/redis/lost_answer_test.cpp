// The answer to a push is lost behind Redis' back, for the targets that are no lists.
#include <doctest/doctest.h>

#include "driven_pusher.hpp"
#include "support/eventually.hpp"
#include "support/process.hpp"
#include "support/redis_server.hpp"
#include "support/tcp_gate.hpp"

using namespace postrider;
using namespace postrider::test;
using support::redis_server;

namespace {

using list = std::vector<std::string>;

constexpr int batch = 40;

redis_server& server() {
    static redis_server shared;
    shared.command({"FLUSHALL"});
    return shared;
}

list bodies(int count) {
    list all;
    for (int i = 1; i <= count; ++i)
        all.push_back("body " + std::to_string(i));
    return all;
}

// Pushes the first batch, and then a second and a third one whose answers are lost once Redis has done them,
// as `count` says.
template <class Count>
void lose_two_answers(driven_pusher& p, support::tcp_gate& gate, Count count) {
    CHECK_FALSE(p.claims());
    p.leads();
    for (int n = 1; n <= 3; ++n) {
        const auto done = p.delivered;
        const auto retries = p->current().retries;
        if (n > 1) gate.swallow(support::tcp_gate::direction::to_client);
        for (int i = 1 + (n - 1) * batch; i <= n * batch; ++i)
            p.push("body " + std::to_string(i), static_cast<std::uint64_t>(i), "k" + std::to_string(i % 3));
        REQUIRE(p.until([&] { return count() == n * batch; }));
        if (n > 1) {
            CHECK(p.delivered == done);
            gate.cut();
            gate.pass();
        }
        REQUIRE(p.until_done());
        if (n > 1) CHECK(p->current().retries > retries);
    }
    p.push("body " + std::to_string(3 * batch + 1));
    REQUIRE(p.until_done());
}

}  // namespace

TEST_CASE("entries of a stream whose answer was lost are added once, with their fields and in order") {
    auto& s = server();
    support::tcp_gate gate(s.port());
    driven_pusher p(gate.port(), "a", event::target_kind::stream);
    lose_two_answers(p, gate, [&] { return s.integer({"XLEN", "q"}); });
    // Each entry comes as its id, and the name and value of both its fields.
    const auto flat = s.command({"XRANGE", "q", "-", "+"});
    list values;
    for (std::size_t i = 0; i + 4 < flat.size(); i += 5) {
        CHECK(flat[i + 3] == "length");
        CHECK(flat[i + 4] == std::to_string(flat[i + 2].size()));
        values.push_back(flat[i + 2]);
    }
    CHECK(values == bodies(3 * batch + 1));
    CHECK(p.delivered == values);
}

TEST_CASE("messages of a channel whose answer was lost are published once, in order") {
    auto& s = server();
    support::process::settings program;
    program.arguments = {"redis-cli", "-p", std::to_string(s.port()), "SUBSCRIBE", "q"};
    support::process subscriber(std::move(program));
    REQUIRE(support::eventually([&] { return s.command({"PUBSUB", "NUMSUB", "q"}) == list{"q", "1"}; }));
    const auto heard = [&] {
        const std::string text = subscriber.output();
        const std::string before = "message\nq\n";
        list all;
        for (auto at = text.find(before); at != std::string::npos; at = text.find(before, at)) {
            at += before.size();
            all.push_back(text.substr(at, text.find('\n', at) - at));
        }
        return all;
    };
    support::tcp_gate gate(s.port());
    driven_pusher p(gate.port(), "a", event::target_kind::pubsub);
    lose_two_answers(p, gate, [&] { return static_cast<int>(heard().size()); });
    // What this one hears last came last.
    s.command({"PUBLISH", "q", "end"});
    REQUIRE(subscriber.wait_for_output("message\nq\nend\n"));
    auto expected = bodies(3 * batch + 1);
    CHECK(p.delivered == expected);
    expected.push_back("end");
    CHECK(heard() == expected);
}
