#include "redis/greeting.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace postrider;
using redis::options;
using redis::reply;

namespace {

reply make(reply::kind kind, std::string text) {
    reply r;
    r.type = kind;
    r.text = std::move(text);
    return r;
}

reply ok() {
    return make(reply::kind::status, "OK");
}
reply error(std::string text) {
    return make(reply::kind::error, std::move(text));
}

options with_everything() {
    options o;
    o.user = "bob";
    o.password = "secret";
    o.database = 3;
    return o;
}

bool mentions(const core::failure& f, std::string_view words) {
    return f.message.find(words) != std::string::npos;
}

core::failure refusal(const options& o, const std::vector<reply>& replies) {
    const auto welcomed = redis::welcome(o, replies);
    REQUIRE(welcomed.has_error());
    CHECK_FALSE(mentions(welcomed.error(), "secret"));
    return welcomed.error();
}

}  // namespace

TEST_CASE("without credentials and database the greeting is a name and a ping") {
    const auto p = redis::greeting(options{});
    CHECK(p.size() == 2);
    CHECK(p.bytes() == "*3\r\n$6\r\nCLIENT\r\n$7\r\nSETNAME\r\n$9\r\npostrider\r\n*1\r\n$4\r\nPING\r\n");
}

TEST_CASE("credentials come first, then the database") {
    const auto p = redis::greeting(with_everything());
    CHECK(p.size() == 4);
    CHECK(p.bytes().starts_with(
        "*3\r\n$4\r\nAUTH\r\n$3\r\nbob\r\n$6\r\nsecret\r\n*2\r\n$6\r\nSELECT\r\n$1\r\n3\r\n"));
    options password_alone;
    password_alone.password = "secret";
    CHECK(redis::greeting(password_alone).bytes().starts_with("*2\r\n$4\r\nAUTH\r\n$6\r\nsecret\r\n"));
}

TEST_CASE("a server that agrees to all is a welcome") {
    CHECK(
        redis::welcome(with_everything(), {ok(), ok(), ok(), make(reply::kind::status, "PONG")}).has_value());
}

TEST_CASE("a wrong password is named with its setting") {
    const auto why =
        refusal(with_everything(),
                {error("WRONGPASS invalid username-password pair"), error("NOAUTH Authentication required."),
                 error("NOAUTH Authentication required."), error("NOAUTH Authentication required.")});
    CHECK(why.code == core::errc::authentication);
    CHECK(mentions(why, "refused the user or password in REDIS_URL"));
    CHECK(mentions(why, "WRONGPASS"));
}

TEST_CASE("the words of Redis 5 for a wrong password are known too") {
    options o;
    o.password = "secret";
    const auto why = refusal(o, {error("ERR invalid password"), ok(), ok()});
    CHECK(why.code == core::errc::authentication);
    CHECK(mentions(why, "refused the password in REDIS_URL"));
}

TEST_CASE("a missing password is asked for, with and without a database") {
    for (const unsigned database : {0U, 3U}) {
        options o;
        o.database = database;
        const std::vector<reply> replies(database == 0 ? 2 : 3, error("NOAUTH Authentication required."));
        const auto why = refusal(o, replies);
        CHECK(why.code == core::errc::authentication);
        CHECK(mentions(why, "redis://:password@host:6379/0"));
    }
}

TEST_CASE("a password where none is set says what to take out") {
    const auto why =
        refusal(with_everything(),
                {error("ERR AUTH <password> called without any password configured for the default "
                       "user. Are you sure your configuration is correct?"),
                 ok(), ok(), ok()});
    CHECK(why.code == core::errc::authentication);
    CHECK(mentions(why, "take it out of REDIS_URL"));
}

TEST_CASE("a user on a Redis without users says so") {
    const auto why = refusal(with_everything(),
                             {error("ERR wrong number of arguments for 'auth' command"), ok(), ok(), ok()});
    CHECK(why.code == core::errc::authentication);
    CHECK(mentions(why, "older than 6"));
}

TEST_CASE("a database that does not exist is named") {
    const auto why = refusal(with_everything(), {ok(), error("ERR DB index is out of range"), ok(), ok()});
    CHECK(why.code == core::errc::invalid_input);
    CHECK(mentions(why, "no database 3"));
}

TEST_CASE("a server that still loads is told from a welcome by its ping alone") {
    const auto why = refusal(options{}, {ok(), error("LOADING Redis is loading the dataset in memory")});
    CHECK(why.code == core::errc::server_error);
    CHECK(mentions(why, "LOADING"));
}

TEST_CASE("a server at its limit is no matter of credentials, also in reply to AUTH") {
    const auto why =
        refusal(with_everything(), std::vector<reply>(4, error("ERR max number of clients reached")));
    CHECK(why.code == core::errc::server_error);
    CHECK(mentions(why, "max number of clients"));
}

TEST_CASE("a user without the right to select is told to mend its rights") {
    const auto why =
        refusal(with_everything(),
                {ok(), error("NOPERM this user has no permissions to run the 'select' command"), ok(), ok()});
    CHECK(why.code == core::errc::authentication);
    CHECK(mentions(why, "ACL SETUSER"));
}

TEST_CASE("a refused name or ping is no reason to refuse the server") {
    CHECK(
        redis::welcome(options{}, {error("ERR unknown command 'CLIENT'"), make(reply::kind::status, "PONG")})
            .has_value());
    CHECK(redis::welcome(options{}, {error("NOPERM no"), error("NOPERM no")}).has_value());
}

TEST_CASE("what the server says is bounded and stays on one line") {
    const auto why = redis::turned_away(error("DENIED a\r\nb" + std::string(5'000, 'x')));
    CHECK(why.code == core::errc::server_error);
    CHECK(mentions(why, "DENIED a\\r\\nb"));
    CHECK(why.message.size() < 400);
}

TEST_CASE("where a primary is needed, its role is asked for and a replica refused") {
    options o;
    o.must_be_primary = true;
    const auto p = redis::greeting(o);
    CHECK(p.bytes().ends_with("*1\r\n$4\r\nPING\r\n*1\r\n$4\r\nROLE\r\n"));
    reply role;
    role.type = reply::kind::array;
    role.items = {make(reply::kind::string, "master")};
    const auto pong = make(reply::kind::status, "PONG");
    CHECK(redis::welcome(o, {ok(), pong, role}).has_value());
    // Whoever may not ask finds out by READONLY.
    CHECK(redis::welcome(o, {ok(), pong, error("NOPERM this user has no permissions")}).has_value());
    CHECK(mentions(refusal(o, {ok(), error("LOADING Redis is loading"), role}), "LOADING"));
    role.items = {make(reply::kind::string, "slave")};
    CHECK(mentions(refusal(o, {ok(), pong, role}), "no primary, but says that it is a 'slave'"));
}
