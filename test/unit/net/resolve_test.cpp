#include "net/resolve.hpp"

#include <algorithm>

#include "support/loop.hpp"

using namespace postrider;
using namespace postrider::test;

using names = std::vector<std::string>;

TEST_CASE("a numeric address is itself, whatever the deadline") {
    loop l;
    for (const auto* address : {"127.0.0.1", "203.0.113.7", "::1", "2001:db8::1", "fe80::1%1"}) {
        const auto found = l.value_of(net::resolve(address, in(-1h)));
        REQUIRE(found.has_value());
        CHECK(*found == names{address});
    }
    CHECK(l.empty());
}

TEST_CASE("a name is looked up, and no address comes twice") {
    loop l;
    auto found = l.value_of(net::resolve("localhost", in(1h)));
    REQUIRE(found.has_value());
    REQUIRE_FALSE(found->empty());
    for (const auto& address : *found)
        CHECK_MESSAGE((address == "::1" || address.starts_with("127.")), address);
    std::sort(found->begin(), found->end());
    CHECK(std::adjacent_find(found->begin(), found->end()) == found->end());
    CHECK(l.empty());
}

TEST_CASE("a name without an address is told in words") {
    loop l;
    // A name that no resolver sends out, so that the test needs no network.
    const auto found = l.value_of(net::resolve("no..such..host", in(1h)));
    REQUIRE(found.has_error());
    CHECK(found.error().code == core::errc::unresolved);
    CHECK(found.error().message.starts_with("host name 'no..such..host' has no address: "));
    CHECK(found.error().message.size() >
          std::string_view("host name 'no..such..host' has no address: ").size());
    CHECK(l.empty());
}

TEST_CASE("a deadline in the past starts no lookup") {
    loop l;
    const auto found = l.value_of(net::resolve("localhost", in(-1h)));
    REQUIRE(found.has_error());
    CHECK(found.error().code == core::errc::timeout);
    CHECK(found.error().message == "the name lookup of 'localhost' took too long");
    CHECK(l.empty());
}

TEST_CASE("many lookups at once do not mix") {
    loop l;
    std::size_t found = 0;
    std::size_t missing = 0;
    auto ask = [&](std::string name) -> asio::awaitable<void> {
        const auto answer = co_await net::resolve(std::move(name), in(1h));
        ++(answer ? found : missing);
    };
    for (int i = 0; i < 20; ++i) {
        l.start(ask("localhost"));
        l.start(ask("no..such..host"));
    }
    CHECK(l.until([&] { return found + missing == 40; }));
    CHECK(found == 20);
    CHECK(missing == 20);
    CHECK(l.empty());
}
