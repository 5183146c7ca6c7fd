#include "support/tcp_gate.hpp"

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <string>
#include <thread>
#include <utility>

#include "support/eventually.hpp"
#include "support/ports.hpp"

namespace postrider::support {
namespace {

using direction = tcp_gate::direction;
using namespace std::chrono_literals;

sockaddr_in loopback(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

class end_point {
 public:
    explicit end_point(int descriptor) : socket_(descriptor) {}
    end_point(end_point&& other) noexcept : socket_(std::exchange(other.socket_, -1)) {}
    end_point(const end_point&) = delete;
    end_point& operator=(const end_point&) = delete;
    ~end_point() { hang_up(); }

    static end_point connect_to(std::uint16_t port) {
        end_point fresh(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        const sockaddr_in address = loopback(port);
        fresh.error_ =
            connect(fresh.socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 ? 0
                                                                                                     : errno;
        return fresh;
    }

    int error() const { return error_; }
    void send(const std::string& text) const { ::send(socket_, text.data(), text.size(), MSG_NOSIGNAL); }
    void finish() const { shutdown(socket_, SHUT_WR); }
    void hang_up() {
        if (socket_ >= 0) close(std::exchange(socket_, -1));
    }
    bool readable(std::chrono::milliseconds within) const {
        pollfd watched{socket_, POLLIN, 0};
        return poll(&watched, 1, static_cast<int>(within.count())) > 0;
    }

    // So many bytes, or what comes before the end ("<end>") or a reset ("<reset>"), or "<silence>" for 30 s.
    std::string receive(std::size_t size) const {
        std::string text;
        while (text.size() < size) {
            if (!readable(30s)) return text + "<silence>";
            char bytes[4096];
            const ssize_t got = recv(socket_, bytes, std::min(sizeof bytes, size - text.size()), 0);
            if (got == 0) return text + "<end>";
            if (got < 0) return text + (errno == ECONNRESET ? "<reset>" : "<error>");
            text.append(bytes, static_cast<std::size_t>(got));
        }
        return text;
    }

 private:
    int socket_;
    int error_ = 0;
};

class listener {
 public:
    listener() : port_(free_port()), socket_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        const sockaddr_in address = loopback(port_);
        REQUIRE(bind(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
        REQUIRE(listen(socket_, 16) == 0);
    }
    listener(const listener&) = delete;
    listener& operator=(const listener&) = delete;
    ~listener() { close(socket_); }

    std::uint16_t port() const { return port_; }
    end_point accept() const { return end_point(accept4(socket_, nullptr, nullptr, SOCK_CLOEXEC)); }

 private:
    std::uint16_t port_;
    int socket_;
};

// A client and a server that have already spoken to each other through the gate.
struct conversation {
    listener target;
    tcp_gate gate{target.port()};
    end_point client = end_point::connect_to(gate.port());
    end_point server = target.accept();

    conversation() {
        client.send("hello");
        REQUIRE(server.receive(5) == "hello");
        server.send("welcome");
        REQUIRE(client.receive(7) == "welcome");
    }
};

TEST_CASE("a gate forwards both ways, counts, and passes an orderly end on") {
    conversation both;
    CHECK(both.gate.connections() == 1);
    CHECK(both.gate.accepted() == 1);
    CHECK(both.gate.bytes(direction::to_server) == 5);
    CHECK(both.gate.bytes(direction::to_client) == 7);
    CHECK(both.gate.bytes(direction::both) == 12);
    both.client.send("bye");
    both.client.finish();
    CHECK(both.server.receive(10) == "bye<end>");
    both.server.send("good night");
    both.server.hang_up();
    CHECK(both.client.receive(100) == "good night<end>");
    CHECK(eventually([&] { return both.gate.connections() == 0; }));
}

TEST_CASE("a gate forwards more than any buffer holds, unchanged") {
    conversation both;
    std::string much;
    for (int i = 0; much.size() < 20'000'000; ++i)
        much += std::to_string(i);
    std::thread writer([&] {
        both.client.send(much);
        both.client.finish();
    });
    const std::string got = both.server.receive(much.size() + 1);
    writer.join();
    CHECK(got.size() == much.size() + 5);
    CHECK((got == much + "<end>"));
}

TEST_CASE("a reset on one side becomes a reset on the other") {
    conversation both;
    both.client.send("unread");
    REQUIRE(both.server.readable(30s));
    both.server.hang_up();
    CHECK(both.client.receive(1) == "<reset>");
}

TEST_CASE("cut resets what is open and serves what comes next") {
    conversation both;
    both.gate.cut();
    CHECK(both.client.receive(1) == "<reset>");
    CHECK(both.server.receive(1) == "<reset>");
    CHECK(both.gate.connections() == 0);
    const end_point next = end_point::connect_to(both.gate.port());
    const end_point server = both.target.accept();
    next.send("again");
    CHECK(server.receive(5) == "again");
    CHECK(both.gate.accepted() == 2);
}

TEST_CASE("refuse cuts and lets nobody in until pass") {
    conversation both;
    both.gate.refuse();
    CHECK(both.client.receive(1) == "<reset>");
    CHECK(end_point::connect_to(both.gate.port()).error() == ECONNREFUSED);
    both.gate.pass();
    const end_point next = end_point::connect_to(both.gate.port());
    CHECK(next.error() == 0);
    next.send("again");
    CHECK(both.target.accept().receive(5) == "again");
}

TEST_CASE("stall holds one direction and pass lets it flow on") {
    conversation both;
    SUBCASE("to the server") {
        both.gate.stall(direction::to_server);
        both.client.send("held");
        both.server.send("free");
        CHECK(both.client.receive(4) == "free");
        CHECK_FALSE(both.server.readable(50ms));
        both.gate.pass();
        CHECK(both.server.receive(4) == "held");
    }
    SUBCASE("to the client") {
        both.gate.stall(direction::to_client);
        both.server.send("held");
        both.client.send("free");
        CHECK(both.server.receive(4) == "free");
        CHECK_FALSE(both.client.readable(50ms));
        both.gate.pass();
        CHECK(both.client.receive(4) == "held");
    }
}

TEST_CASE("a stalled gate takes new connections, and hides that an end closed") {
    conversation both;
    both.gate.stall();
    const end_point next = end_point::connect_to(both.gate.port());
    CHECK(next.error() == 0);
    next.send("hello?");
    both.server.hang_up();
    CHECK_FALSE(both.client.readable(50ms));
    CHECK(eventually([&] { return both.gate.connections() == 2; }));
    const end_point server = both.target.accept();
    CHECK_FALSE(server.readable(50ms));
    CHECK(both.gate.bytes(direction::to_server) == 5);
    both.gate.pass();
    CHECK(server.receive(6) == "hello?");
    CHECK(both.client.receive(1) == "<end>");
}

TEST_CASE("swallow loses one direction's bytes for good") {
    conversation both;
    SUBCASE("to the server") {
        both.gate.swallow(direction::to_server);
        both.client.send("lost");
        both.server.send("kept");
        CHECK(both.client.receive(4) == "kept");
        CHECK_FALSE(both.server.readable(50ms));
        both.gate.pass();
        both.client.send("next");
        CHECK(both.server.receive(4) == "next");
        CHECK(both.gate.bytes(direction::to_server) == 9);
    }
    SUBCASE("to the client") {
        both.gate.swallow(direction::to_client);
        both.server.send("lost");
        both.client.send("kept");
        CHECK(both.server.receive(4) == "kept");
        CHECK_FALSE(both.client.readable(50ms));
        both.gate.pass();
        both.server.send("next");
        CHECK(both.client.receive(4) == "next");
    }
}

TEST_CASE("delay holds every byte that long, in order") {
    conversation both;
    both.gate.delay(80ms);
    const auto begin = std::chrono::steady_clock::now();
    both.client.send("one");
    both.client.send("two");
    CHECK(both.server.receive(6) == "onetwo");
    both.server.send("three");
    CHECK(both.client.receive(5) == "three");
    CHECK(std::chrono::steady_clock::now() - begin >= 160ms);
    both.gate.delay(0ms);
    both.client.finish();
    CHECK(both.server.receive(1) == "<end>");
}

TEST_CASE("cut_after lets exactly so many bytes through, then resets all and is normal again") {
    conversation both;
    SUBCASE("to the client") {
        both.gate.cut_after(3, direction::to_client);
        both.client.send("ask");
        CHECK(both.server.receive(3) == "ask");
        both.server.send("answer");
        CHECK(both.client.receive(6) == "ans<reset>");
    }
    SUBCASE("to the server") {
        both.gate.cut_after(3, direction::to_server);
        both.server.send("answer");
        CHECK(both.client.receive(6) == "answer");
        both.client.send("ask");
        CHECK(both.server.receive(6) == "ask<reset>");
        CHECK(both.client.receive(1) == "<reset>");
    }
    SUBCASE("nothing at all") {
        both.gate.cut_after(0, direction::to_client);
        both.client.send("ask");
        CHECK(both.server.receive(3) == "ask");
        CHECK_FALSE(both.client.readable(20ms));
        both.server.send("answer");
        CHECK(both.client.receive(1) == "<reset>");
    }
    CHECK(both.gate.connections() == 0);
    const end_point next = end_point::connect_to(both.gate.port());
    const end_point server = both.target.accept();
    server.send("a longer answer");
    CHECK(next.receive(15) == "a longer answer");
}

TEST_CASE("a gate whose target refuses resets its client") {
    const std::uint16_t nobody = free_port();
    tcp_gate gate(nobody);
    const end_point client = end_point::connect_to(gate.port());
    CHECK(client.receive(1) == "<reset>");
    CHECK(gate.connections() == 0);
    CHECK(gate.accepted() == 1);
}

}  // namespace
}  // namespace postrider::support
