// A node of a cluster that is down for a while: what it says to a script passes.
#include <doctest/doctest.h>

#include "driven_pusher.hpp"
#include "support/eventually.hpp"
#include "support/ports.hpp"
#include "support/redis_server.hpp"

using namespace postrider;
using namespace postrider::test;
using support::redis_server;

namespace {

using list = std::vector<std::string>;

// A cluster of one node.
struct node {
    node() {
        server.command({"CLUSTER", "ADDSLOTSRANGE", "0", "16383"});
        REQUIRE(becomes("ok"));
    }
    bool becomes(const std::string& state) {
        return support::eventually([&] {
            return server.command({"CLUSTER", "INFO"}).front().find("cluster_state:" + state) !=
                   std::string::npos;
        });
    }
    // Without this slot, which no key of the test has, the cluster is down.
    void goes_down() {
        server.command({"CLUSTER", "DELSLOTS", "0"});
        REQUIRE(becomes("fail"));
    }
    void comes_back() {
        server.command({"CLUSTER", "ADDSLOTS", "0"});
        REQUIRE(becomes("ok"));
    }

    redis_server server{
        redis_server::settings{.persistent = false,
                               .arguments = {"--cluster-enabled", "yes", "--cluster-allow-reads-when-down",
                                             "yes", "--cluster-port", std::to_string(support::free_port())}}};
};

}  // namespace

TEST_CASE("a cluster that is down and still answers reads refuses nothing for good") {
    node n;
    driven_pusher p(n.server.port(), "a");
    CHECK_FALSE(p.claims());
    p.place.kind = redis::place::order::in_order;
    p.leads();
    list sent;
    const auto push = [&](int count) {
        for (int i = 0; i < count; ++i) {
            sent.push_back("body " + std::to_string(sent.size() + 1));
            p.push(sent.back(), sent.size());
        }
    };
    int batch = 0;
    SUBCASE("a small batch, by the script") {
        batch = 3;
    }
    SUBCASE("a large batch, in a transaction") {
        batch = 40;
    }
    push(batch);
    REQUIRE(p.until_done());
    n.goes_down();
    push(batch);
    // It was asked in vain, and more than once.
    CHECK(p.until([&] { return p->current().retries >= 2 || !p.refused.empty(); }));
    CHECK(p.refused.empty());
    CHECK(p.delivered.size() == static_cast<std::size_t>(batch));
    n.comes_back();
    REQUIRE(p.until_done());
    CHECK(p.refused.empty());
    CHECK(p.delivered == sent);
    CHECK(n.server.list("q") == sent);
}
