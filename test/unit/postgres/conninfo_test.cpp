#include "postgres/conninfo.hpp"

#include <doctest/doctest.h>

#include <array>
#include <map>

using namespace postrider;
using postgres::candidates;

namespace {

using options = std::map<std::string, std::string>;

std::vector<postgres::candidate> read(const std::string& conninfo) {
    auto all = candidates(conninfo);
    REQUIRE_MESSAGE(all.has_value(), (all ? std::string() : all.error().message));
    return *all;
}

options of(const postgres::candidate& c) {
    options all;
    for (const auto& parameter : c.parameters)
        CHECK_MESSAGE(all.insert(parameter).second, parameter.first << " is given twice");
    return all;
}

std::vector<std::string> servers(const std::string& conninfo) {
    std::vector<std::string> all;
    for (const auto& c : read(conninfo))
        all.push_back(c.describe() + " " + of(c).at("target_session_attrs"));
    return all;
}

std::string refusal(const std::string& conninfo) {
    const auto all = candidates(conninfo);
    REQUIRE(all.has_error());
    CHECK(all.error().code == core::errc::invalid_input);
    return all.error().message;
}

using list = std::vector<std::string>;

}  // namespace

TEST_CASE("each host of the list is a candidate of its own, in order") {
    struct row {
        std::string conninfo;
        list expected;
    };
    const row table[] = {
        {"host=db", {"db:5432 any"}},
        {"host=db port=6000", {"db:6000 any"}},
        {"postgresql://db/chat", {"db:5432 any"}},
        {"host=a,b,c", {"a:5432 any", "b:5432 any", "c:5432 any"}},
        {"host=a,b port=6000", {"a:6000 any", "b:6000 any"}},
        {"host=a,b port=1,2", {"a:1 any", "b:2 any"}},
        {"host=a,b port=,2", {"a:5432 any", "b:2 any"}},
        {"postgresql://a:1,b:2/chat", {"a:1 any", "b:2 any"}},
        {"postgresql://a,b:2/chat", {"a:5432 any", "b:2 any"}},
        {"postgresql://[::1]:7/chat", {"[::1]:7 any"}},
        {"host=/run/pg", {"/run/pg:5432 any"}},
        {"host=/run/pg,db port=7", {"/run/pg:7 any", "db:7 any"}},
        {"postgresql:///chat?host=/run/pg&port=8", {"/run/pg:8 any"}},
        {"host=@abstract", {"@abstract:5432 any"}},
        {"hostaddr=10.0.0.1", {"10.0.0.1:5432 any"}},
        {"hostaddr=10.0.0.1,::1 port=5,6", {"10.0.0.1:5 any", "[::1]:6 any"}},
        {"host=a,b hostaddr=10.0.0.1,10.0.0.2", {"a:5432 any", "b:5432 any"}},
        {"dbname=chat", {"localhost:5432 any"}},
        {"", {"localhost:5432 any"}},
    };
    for (const auto& r : table) {
        INFO(r.conninfo);
        CHECK(servers(r.conninfo) == r.expected);
    }
}

TEST_CASE("the kind of session is asked of each host") {
    CHECK(servers("host=a,b target_session_attrs=read-write") ==
          list{"a:5432 read-write", "b:5432 read-write"});
    CHECK(servers("postgresql://a,b/d?target_session_attrs=primary") ==
          list{"a:5432 primary", "b:5432 primary"});
}

TEST_CASE("prefer-standby looks for a standby everywhere before it takes what there is") {
    CHECK(servers("host=a,b target_session_attrs=prefer-standby") ==
          list{"a:5432 standby", "b:5432 standby", "a:5432 any", "b:5432 any"});
}

TEST_CASE("a candidate has its own host, address and port, and everything else as it was") {
    const auto all =
        read("host=a,b hostaddr=10.0.0.1, port=1,2 user=me password='p w' dbname=chat sslmode=verify-full");
    REQUIRE(all.size() == 2);
    const options shared{{"user", "me"},
                         {"password", "p w"},
                         {"dbname", "chat"},
                         {"sslmode", "verify-full"},
                         {"target_session_attrs", "any"}};
    options first{{"host", "a"}, {"hostaddr", "10.0.0.1"}, {"port", "1"}};
    options second{{"host", "b"}, {"port", "2"}};
    first.insert(shared.begin(), shared.end());
    second.insert(shared.begin(), shared.end());
    CHECK(of(all[0]) == first);
    CHECK(of(all[1]) == second);
    CHECK(all[0].host == "a");
    CHECK(all[1].port == "2");
}

TEST_CASE("without a host libpq's own default stays") {
    const auto all = read("dbname=chat");
    REQUIRE(all.size() == 1);
    CHECK(all[0].host.empty());
    CHECK(of(all[0]) == options{{"dbname", "chat"}, {"target_session_attrs", "any"}});
}

TEST_CASE("percent signs of a URL are decoded") {
    const auto all = read("postgresql://me:p%40%2Fw@%2Frun%2Fpg:7/chat%20room");
    REQUIRE(all.size() == 1);
    CHECK(of(all[0]).at("password") == "p@/w");
    CHECK(of(all[0]).at("host") == "/run/pg");
    CHECK(of(all[0]).at("dbname") == "chat room");
}

TEST_CASE("lists of different lengths are told in words") {
    CHECK(refusal("host=a,b port=1,2,3") ==
          "the Postgres connection string names 2 hosts but 3 ports: give one port for all, or one a host");
    CHECK(refusal("host=a port=1,2") ==
          "the Postgres connection string names 1 hosts but 2 ports: give one port for all, or one a host");
    CHECK(refusal("host=a,b hostaddr=10.0.0.1") ==
          "the Postgres connection string names 2 hosts but 1 addresses: give one hostaddr a host, or none");
    CHECK(refusal("host=a hostaddr=10.0.0.1,10.0.0.2") ==
          "the Postgres connection string names 1 hosts but 2 addresses: give one hostaddr a host, or none");
}

TEST_CASE("a bad string's words say what is wrong with it, but never hold the password") {
    const std::array bad{
        "host=db password=two s3cret words",
        "host=db password='s3cret",
        "host=db password=a s3cret=b",
        "host=db password=a\" s3cret\"b",
        "postgresql://me:s3cret%zz@db/chat",
        "postgresql://me:s3cret%00@db/chat",
        "postgresql://me:x/y?s3cret=1@db/chat",
        "postgresql://me:s3cret@[::1/chat",
        "postgresql://me:s3cret@[::1]x/chat",
        "postgresql://me:s3cret@db/chat?a=b=c",
        "postgresql://me:s3cret@db/chat?nokey",
        "postgresql://me:p@s3cret@db/chat",
        "s3cret",
    };
    for (const auto* text : bad) {
        const auto words = refusal(text);
        INFO(words);
        CHECK(words.starts_with("the Postgres connection string "));
        CHECK(words.find("s3cret") == std::string::npos);
        CHECK(words.size() > std::string_view("the Postgres connection string cannot be read: …").size());
        CHECK(words.find('\n') == std::string::npos);
    }
}

TEST_CASE("an '@' that the password holds is told apart from a host") {
    CHECK(refusal("postgresql://me:p@s3cret@db/chat") ==
          "the Postgres connection string holds an '@' in the host: write an '@' in the password as %40");
}
