#include "service/postgres_url.hpp"

#include <doctest/doctest.h>

#include <array>

using postrider::service::read_postgres_url;

namespace {

std::string error_of(std::string_view text) {
    const auto read = read_postgres_url(text);
    REQUIRE(read.has_error());
    return read.error().message;
}

void accepts(std::string_view text) {
    const auto read = read_postgres_url(text);
    REQUIRE_MESSAGE(read.has_value(), read.error().message);
    CHECK(read->text == text);
    CHECK(read->warnings.empty());
}

constexpr std::string_view example = "; write for example postgresql://user:password@host:5432/database";

}  // namespace

TEST_CASE("what libpq takes is taken as it is") {
    accepts("postgresql://user:password@host:5432/database");
    accepts("postgres://host");
    accepts("postgresql:///chat?host=/run/postgresql");
    accepts("postgresql://h1:1,h2:2/d?target_session_attrs=read-write&sslmode=verify-full");
    accepts("postgresql://h1,h2:5432/d");
    accepts("host=h1,h2 port=5432 password='a b' dbname=chat");
    accepts("postgresql://u:a+b@host/d");
    accepts("host=h password=x+y://z");
}

TEST_CASE("SQLAlchemy's driver is taken out, with a warning") {
    for (const auto& [given, taken, driver] : std::array<std::array<const char*, 3>, 2>{
             {{"postgresql+asyncpg://u:p@h/d", "postgresql://u:p@h/d", "+asyncpg"},
              {"postgres+psycopg2://h/d", "postgres://h/d", "+psycopg2"}}}) {
        const auto read = read_postgres_url(given);
        REQUIRE(read.has_value());
        CHECK(read->text == taken);
        REQUIRE(read->warnings.size() == 1);
        CHECK(read->warnings[0] ==
              "took '" + std::string(driver) + "' out of the URL: it names a Python driver");
    }
}

TEST_CASE("a URL of something else is told apart") {
    for (const auto* text :
         {"mysql://u:s3cret@h/d", "redis://h", "http://h", "mysql+asyncpg://h/d", "://h"}) {
        CHECK(error_of(text) == "starts with neither postgresql:// nor postgres://" + std::string(example));
    }
}

TEST_CASE("libpq's words come without the pieces of the string in them") {
    CHECK(error_of("postgresql://u:s3%zz@h/d") ==
          "not a Postgres connection string: invalid percent-encoded token: …; write a plain '%' as %25");
    CHECK(error_of("postgresql://u:s3cret@[::1/d") ==
          "not a Postgres connection string: end of string reached when looking for matching \"]\" in IPv6 "
          "host "
          "address in URI: …" +
              std::string(example));
    CHECK(error_of("host=h password=a s3cret") ==
          "not a Postgres connection string: missing \"=\" after … in connection info string" +
              std::string(example));
    CHECK(error_of("nonsense") ==
          "not a Postgres connection string: missing \"=\" after … in connection info string" +
              std::string(example));
    CHECK(error_of("host=h s3cretx=y") ==
          "not a Postgres connection string: invalid connection option …" + std::string(example));
}

TEST_CASE("a misspelt parameter is mended") {
    CHECK(error_of("postgresql://h/d?sslmod=require") ==
          "not a Postgres connection string: invalid URI query parameter: …; did you mean 'sslmode'?");
    CHECK(error_of("postgresql://h/d?ssl=require") ==
          "not a Postgres connection string: invalid URI query parameter: …; did you mean 'sslmode'?");
    CHECK(error_of("hots=h") ==
          "not a Postgres connection string: invalid connection option …; did you mean 'host'?");
}

TEST_CASE("an '@' in the password is refused before it makes half of it a host's name") {
    for (const auto* text : {"postgresql://u:s3c@ret@h/d", "postgresql://u:s3c@ret@h1,h2:5432/d",
                             "postgresql://u:p@h1,s3c@ret/d", "host=s3c@ret"}) {
        CHECK(error_of(text) == "there is an '@' in the host; write an '@' in the password as %40");
    }
    accepts("postgresql://u:s3c%40ret@h/d");
    accepts("host=@abstract,@other password=s3c@ret");
}

TEST_CASE("what libpq would find out only on connecting is found out before") {
    CHECK(error_of("postgresql://h:99999/d") == "the port is not a number from 1 to 65535");
    CHECK(error_of("postgresql://h:0/d") == "the port is not a number from 1 to 65535");
    CHECK(error_of("postgresql://u:s3cret:x@h:abc/d") == "the port is not a number from 1 to 65535");
    CHECK(error_of("postgresql://h1:1,h2:x/d") == "the port is not a number from 1 to 65535");
    CHECK(error_of("host=h1,h2,h3 port=1,2") == "2 ports for 3 hosts; give one port for all, or one a host");
    CHECK(error_of("postgresql://h/d?sslmode=verify") ==
          "sslmode=\"verify\": not one of disable, allow, prefer, require, verify-ca, verify-full");
    CHECK(error_of("postgresql://h/d?target_session_attrs=primry") ==
          "target_session_attrs=\"primry\": not one of any, read-write, read-only, primary, standby, "
          "prefer-standby; "
          "did you mean 'primary'?");
}
