#include "redis/sentinels.hpp"

#include <doctest/doctest.h>

using namespace postrider;
using redis::read_primary;
using redis::reply;

namespace {

reply pair(std::string host, std::string port) {
    reply r;
    r.type = reply::kind::array;
    for (auto* text : {&host, &port}) {
        r.items.emplace_back();
        r.items.back().type = reply::kind::string;
        r.items.back().text = std::move(*text);
    }
    return r;
}

}  // namespace

TEST_CASE("a sentinel's answer is an address, an unknown name, or its words") {
    CHECK(*read_primary(pair("10.0.0.1", "6379")) == redis::address{"10.0.0.1", 6379});
    CHECK(*read_primary(pair("::1", "7000")) == redis::address{"::1", 7000});
    CHECK(read_primary(reply{}).error().code == core::errc::invalid_input);
    reply error;
    error.type = reply::kind::error;
    error.text = "ERR unknown command 'SENTINEL'";
    CHECK(read_primary(error).error().message == "it answered: ERR unknown command 'SENTINEL'");
    for (const auto& odd :
         {pair("", "6379"), pair("a b", "6379"), pair("a", "0"), pair("a", "65536"), pair("a", "x")})
        CHECK(read_primary(odd).error().code == core::errc::protocol);
}
