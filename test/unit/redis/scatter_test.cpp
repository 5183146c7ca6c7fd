#include "redis/scatter.hpp"

#include <doctest/doctest.h>

#include "redis/slot.hpp"

using namespace postrider;
using redis::address;
using redis::pipeline;
using redis::reply;
using redis::scatter;
using redis::slot_map;

namespace {

const address left{"l", 1};
const address right{"r", 2};
const std::vector<address> both{left, right};

reply status(std::string text) {
    return {reply::kind::status, std::move(text), 0, {}};
}
reply error(std::string text) {
    return {reply::kind::error, std::move(text), 0, {}};
}
reply list(std::vector<std::string> texts) {
    reply r{reply::kind::array, "", 0, {}};
    for (auto& t : texts)
        r.items.push_back(status(std::move(t)));
    return r;
}

// The slots below `border` are the left one's.
slot_map divided_at(std::int64_t border) {
    const auto range = [](std::int64_t first, std::int64_t last, const address& a) {
        reply server{reply::kind::array, "", 0, {status(a.host), {reply::kind::integer, "", a.port, {}}}};
        return reply{
            reply::kind::array,
            "",
            0,
            {{reply::kind::integer, "", first, {}}, {reply::kind::integer, "", last, {}}, std::move(server)}};
    };
    reply all{reply::kind::array, "", 0, {}};
    if (border > 0) all.items.push_back(range(0, border - 1, left));
    if (border < redis::cluster_slots) all.items.push_back(range(border, redis::cluster_slots - 1, right));
    return *slot_map::read(all, "asked");
}

std::string encoded(std::initializer_list<std::string_view> words) {
    pipeline p;
    p.add(words);
    return p.bytes();
}

// "a" has the slot 15495, "b" 3300, "c" 7365.
const slot_map halves = divided_at(8'192);

}  // namespace

TEST_CASE("a pipeline is cut by server, and its replies come back in order") {
    pipeline p;
    p.add({"GET", "a"});
    p.add({"GET", "b"});
    p.add({"GET", "c"});
    p.add({"PING"});
    scatter s(std::move(p));
    auto parts = s.next(halves, both);
    REQUIRE(parts.size() == 2);
    CHECK(parts[0].to == right);
    CHECK(parts[0].commands.bytes() == encoded({"GET", "a"}));
    CHECK(parts[1].to == left);
    CHECK(parts[1].commands.bytes() == encoded({"GET", "b"}) + encoded({"GET", "c"}) + encoded({"PING"}));
    s.answered(1, std::vector<reply>{status("b"), status("c"), status("PONG")});
    s.answered(0, std::vector<reply>{status("a")});
    CHECK(s.next(halves, both).empty());
    const auto all = s.take();
    REQUIRE(all.size() == 4);
    CHECK(all[0].text == "a");
    CHECK(all[1].text == "b");
    CHECK(all[2].text == "c");
    CHECK(all[3].text == "PONG");
    CHECK_FALSE(s.map_is_old());
}

TEST_CASE("MOVED is followed, and says that the map is old") {
    pipeline p;
    p.add({"GET", "a"});
    scatter s(std::move(p));
    s.next(halves, both);
    s.answered(0, std::vector<reply>{error("MOVED 15495 l:1")});
    auto parts = s.next(halves, both);
    REQUIRE(parts.size() == 1);
    CHECK(parts[0].to == left);
    CHECK(parts[0].commands.bytes() == encoded({"GET", "a"}));
    s.answered(0, std::vector<reply>{status("found")});
    CHECK(s.next(halves, both).empty());
    CHECK(s.take()[0].text == "found");
    CHECK(s.map_is_old());
}

TEST_CASE("ASK is followed for this once, with ASKING before each command") {
    pipeline p;
    p.add({"EVALSHA", "sha", "1", "a"});
    p.add_behind({"SET", "{a}", "1"});
    p.add_behind({"WAIT", "1", "100"});
    scatter s(std::move(p));
    auto parts = s.next(halves, both);
    REQUIRE(parts.size() == 1);
    CHECK(parts[0].commands.size() == 3);
    s.answered(0, std::vector<reply>{error("ASK 15495 l:1"), status("OK"), status("1")});
    parts = s.next(halves, both);
    REQUIRE(parts.size() == 1);
    CHECK(parts[0].to == left);
    const auto asking = encoded({"ASKING"});
    CHECK(parts[0].commands.bytes() == asking + encoded({"EVALSHA", "sha", "1", "a"}) + asking +
                                           encoded({"SET", "{a}", "1"}) + asking +
                                           encoded({"WAIT", "1", "100"}));
    const auto fine = status("OK");
    s.answered(0, std::vector<reply>{fine, status("done"), fine, status("set"), fine, status("2")});
    CHECK(s.next(halves, both).empty());
    const auto all = s.take();
    CHECK(all[0].text == "done");
    CHECK(all[1].text == "set");
    CHECK(all[2].text == "2");
    CHECK_FALSE(s.map_is_old());
}

TEST_CASE("what stands behind a command moves with it, also where only that was redirected") {
    pipeline p;
    p.add({"EVALSHA", "sha", "1", "a"});
    p.add_behind({"SET", "{a}", "1"});
    scatter s(std::move(p));
    s.next(halves, both);
    s.answered(0, std::vector<reply>{status("done"), error("MOVED 15495 l:1")});
    const auto parts = s.next(halves, both);
    REQUIRE(parts.size() == 1);
    CHECK(parts[0].to == left);
    CHECK(parts[0].commands.size() == 2);
}

TEST_CASE("what was done behind a command of its slot that has moved is done again behind it") {
    pipeline p;
    p.add({"DEL", "a"});
    p.add({"SET", "a", "1"});
    p.add({"GET", "b"});
    scatter s(std::move(p));
    s.next(halves, both);
    // The server took the slot over in between.
    s.answered(0, std::vector<reply>{error("MOVED 15495 l:1"), status("OK")});
    s.answered(1, std::vector<reply>{status("b")});
    const auto parts = s.next(halves, both);
    REQUIRE(parts.size() == 1);
    CHECK(parts[0].to == left);
    CHECK(parts[0].commands.bytes() == encoded({"DEL", "a"}) + encoded({"SET", "a", "1"}));
}

TEST_CASE("what stands behind a command of its slot that was asked elsewhere keeps its own answer") {
    pipeline p;
    p.add({"GET", "{a}new"});
    p.add({"GET", "{a}old"});
    scatter s(std::move(p));
    s.next(halves, both);
    s.answered(0, std::vector<reply>{error("ASK 15495 l:1"), status("old")});
    const auto parts = s.next(halves, both);
    REQUIRE(parts.size() == 1);
    CHECK(parts[0].commands.size() == 2);  // with ASKING
    s.answered(0, std::vector<reply>{status("OK"), status("new")});
    CHECK(s.next(halves, both).empty());
    CHECK(s.take()[1].text == "old");
}

TEST_CASE("a slot that is passed on and on keeps its last answer") {
    pipeline p;
    p.add({"GET", "a"});
    scatter s(std::move(p));
    unsigned hops = 0;
    while (!s.next(halves, both).empty()) {
        REQUIRE(++hops < 100);
        s.answered(0, std::vector<reply>{error(hops % 2 == 0 ? "MOVED 15495 l:1" : "MOVED 15495 r:2")});
    }
    CHECK(hops == 6);
    CHECK(s.take()[0].text.starts_with("MOVED"));
}

TEST_CASE("what cannot be sent is answered with CLUSTERDOWN, and the rest goes on") {
    pipeline p;
    p.add({"GET", "a"});
    p.add({"GET", "b"});
    scatter s(std::move(p));
    const auto parts = s.next(halves, {left});
    REQUIRE(parts.size() == 1);
    s.answered(0, std::vector<reply>{status("b")});
    CHECK(s.next(halves, {left}).empty());
    const auto all = s.take();
    CHECK(all[0].text == "CLUSTERDOWN no connection to r:2");
    CHECK(all[1].text == "b");
    CHECK(s.strangers().empty());

    pipeline lost;
    lost.add({"GET", "a"});
    scatter without(std::move(lost));
    CHECK(without.next(slot_map{}, both).empty());
    CHECK(without.map_is_old());
    CHECK(without.take()[0].text == "CLUSTERDOWN no server has the slot 15495");
}

TEST_CASE("a part that got no replies gives CLUSTERDOWN for its commands alone") {
    pipeline p;
    p.add({"GET", "a"});
    p.add({"GET", "b"});
    scatter s(std::move(p));
    s.next(halves, both);
    s.answered(0, core::failure{core::errc::connection_lost, "closed by the server"});
    s.answered(1, std::vector<reply>{status("b")});
    CHECK(s.next(halves, both).empty());
    const auto all = s.take();
    CHECK(all[0].text == "CLUSTERDOWN closed by the server");
    CHECK(all[1].text == "b");
    CHECK(s.map_is_old());
}

TEST_CASE("a redirection to a server that is not connected names it") {
    pipeline p;
    p.add({"GET", "a"});
    scatter s(std::move(p));
    s.next(halves, both);
    s.answered(0, std::vector<reply>{error("ASK 15495 new:3")});
    CHECK(s.next(halves, both).empty());
    CHECK(s.strangers() == std::vector<address>{{"new", 3}});
    CHECK(s.take()[0].text == "CLUSTERDOWN no connection to new:3");
}

TEST_CASE("what concerns every server goes to each, and the replies become one") {
    const auto answer = [](reply one, reply other) {
        pipeline p;
        p.add({"SCRIPT", "LOAD", "return 1"});
        scatter s(std::move(p));
        REQUIRE(s.next(halves, both).size() == 2);
        s.answered(0, std::vector<reply>{std::move(one)});
        s.answered(1, std::vector<reply>{std::move(other)});
        CHECK(s.next(halves, both).empty());
        return s.take()[0];
    };
    CHECK(answer(status("sha"), status("sha")).text == "sha");
    CHECK(answer(status("sha"), error("BUSY")).text == "BUSY");
    CHECK(answer(error("BUSY"), status("sha")).text == "BUSY");
    CHECK(answer(list({"a"}), list({"b", "c"})).items.size() == 3);
}

TEST_CASE("a redirection's address is read, whatever stands for the host") {
    const address asked{"asked", 7};
    CHECK(*redis::redirection(error("MOVED 1 10.0.0.1:6381"), asked) == address{"10.0.0.1", 6381});
    CHECK(*redis::redirection(error("ASK 1 ::1:6381"), asked) == address{"::1", 6381});
    CHECK(*redis::redirection(error("MOVED 1 :6381"), asked) == address{"asked", 6381});
    for (const char* odd :
         {"MOVED", "MOVED 1 a", "MOVED 1 a:0", "MOVED 1 a:x", "MOVED 1 a b:1x", "ERR 1 a:1"})
        CHECK_FALSE(redis::redirection(error(odd), asked).has_value());
    CHECK_FALSE(redis::redirection(status("MOVED 1 a:1"), asked).has_value());
}
