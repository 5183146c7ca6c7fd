#include "redis/slot_map.hpp"

#include <doctest/doctest.h>

using namespace postrider;
using redis::address;
using redis::reply;
using redis::slot_map;

namespace {

reply text(std::string words) {
    return {reply::kind::string, std::move(words), 0, {}};
}
reply integer(std::int64_t n) {
    return {reply::kind::integer, "", n, {}};
}
reply list(std::vector<reply> items) {
    return {reply::kind::array, "", 0, std::move(items)};
}
reply server(std::string host, std::int64_t port) {
    return list({text(std::move(host)), integer(port), text("id")});
}
reply range(std::int64_t first, std::int64_t last, reply primary) {
    return list({integer(first), integer(last), std::move(primary), server("replica", 1)});
}

}  // namespace

TEST_CASE("each slot has the primary that the ranges name, or none") {
    const auto read =
        slot_map::read(list({range(0, 99, server("a", 7000)), range(100, 16'382, server("b", 7001)),
                             range(200, 200, server("a", 7000))}),
                       "asked");
    REQUIRE(read.has_value());
    CHECK(read->primaries() == std::vector<address>{{"a", 7000}, {"b", 7001}});
    CHECK(*read->primary_of(0) == address{"a", 7000});
    CHECK(*read->primary_of(99) == address{"a", 7000});
    CHECK(*read->primary_of(100) == address{"b", 7001});
    CHECK(*read->primary_of(200) == address{"a", 7000});
    CHECK(*read->primary_of(16'382) == address{"b", 7001});
    CHECK(read->primary_of(16'383) == nullptr);
    CHECK(read->missing() == 1);
    CHECK(slot_map{}.primary_of(0) == nullptr);
    CHECK(slot_map{}.missing() == 16'384);
}

TEST_CASE("a server without a name of its own is the one that was asked") {
    for (const char* host : {"", "?"}) {
        const auto read = slot_map::read(list({range(0, 16'383, server(host, 7000))}), "asked");
        REQUIRE(read.has_value());
        CHECK(read->primaries().front() == address{"asked", 7000});
    }
}

TEST_CASE("a server that is no cluster, a cluster without slots and an odd answer are told apart") {
    const reply disabled{reply::kind::error, "ERR This instance has cluster support disabled", 0, {}};
    CHECK(slot_map::read(disabled, "a").error().message ==
          "it answered: ERR This instance has cluster support disabled; this Redis is no cluster, so write "
          "redis:// in REDIS_URL");
    CHECK(slot_map::read(list({}), "a").error().code == core::errc::server_error);
    for (const auto& odd :
         {list({integer(1)}), list({range(0, 16'384, server("a", 1))}), list({range(5, 4, server("a", 1))}),
          list({range(-1, 4, server("a", 1))}), list({range(0, 4, server("a", 0))}),
          list({range(0, 4, server("a b", 1))}), list({list({integer(0), integer(1), text("x")})})})
        CHECK(slot_map::read(odd, "a").error().code == core::errc::protocol);
}
