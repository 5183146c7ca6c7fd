#include "core/redact.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <random>
#include <string>

using postrider::core::redact;

namespace {

void keeps(std::string_view text) {
    CHECK(redact(text) == text);
}

}  // namespace

TEST_CASE("a URL loses its user and password, and keeps the rest") {
    CHECK(redact("postgresql://anna:s3cret@db.example:5432/chat?sslmode=require") ==
          "postgresql://***@db.example:5432/chat?sslmode=require");
    CHECK(redact("rediss://:s3cret@cache:6380/2") == "rediss://***@cache:6380/2");
    CHECK(redact("redis://anna@cache") == "redis://***@cache");
    CHECK(redact("unix://anna:s3cret@/run/redis.sock?db=1") == "unix://***@/run/redis.sock?db=1");
    CHECK(redact("postgresql+asyncpg://u:p@h/d") == "postgresql+asyncpg://***@h/d");
}

TEST_CASE("a URL is found in the middle of a sentence, and each of several") {
    CHECK(redact("cannot reach \"redis://u:p@h:1\", trying (redis://x:y@k:2).") ==
          "cannot reach \"redis://***@h:1\", trying (redis://***@k:2).");
    CHECK(redact("postgres://a:b@h1,postgres://c:d@h2") == "postgres://***@h1,postgres://***@h2");
    CHECK(redact("one redis://u:p@h\ntwo redis://v:q@k") == "one redis://***@h\ntwo redis://***@k");
}

TEST_CASE("a password that nobody encoded goes whole") {
    CHECK(redact("redis://u:p@ss@host/0") == "redis://***@host/0");
    CHECK(redact("redis://u:p/a?s#s@host/0") == "redis://***@host/0");
    CHECK(redact("redis://u:my pass@host/0") == "redis://***@host/0");
    CHECK(redact("redis://u:it's@host/0") == "redis://***@host/0");
    CHECK(redact("redis://u:x\"y@host/0") == "redis://***@host/0");
    CHECK(redact("redis://:a b@host/0") == "redis://***@host/0");
    CHECK(redact("redis://u:p%40ss%zz@host") == "redis://***@host");
    CHECK(redact("postgres://u:password=x@host/db").find('x') == std::string::npos);
    CHECK(redact("redis://u:?password=a&b=s3cret@host/0") == "redis://***@host/0");
    CHECK(redact("postgres://h/db?password=a@tail").find("tail") == std::string::npos);
}

TEST_CASE("passwords in key=value strings go, in every way they can be quoted") {
    CHECK(redact("host=db password=s3cret dbname=chat") == "host=db password=*** dbname=chat");
    CHECK(redact("host=db password = s3cret dbname=chat") == "host=db password = *** dbname=chat");
    CHECK(redact("password='a b' host=db") == "password=*** host=db");
    CHECK(redact("password='it\\'s' host=db") == "password=*** host=db");
    CHECK(redact("password='it''s' host=db") == "password=*** host=db");
    CHECK(redact("password=a\\ b host=db") == "password=*** host=db");
    CHECK(redact("password=\"a b\" host=db") == "password=*** host=db");
    CHECK(redact("sslpassword=k3y user=x") == "sslpassword=*** user=x");
    CHECK(redact("PGPASSWORD=s3cret psql") == "PGPASSWORD=*** psql");
    CHECK(redact("Password=s3cret") == "Password=***");
    CHECK(redact("password=a&b#c host=db") == "password=*** host=db");
    CHECK(redact("password='never closed host=db") == "password=***");
    CHECK(redact("admin_token=abc") == "admin_token=***");
}

TEST_CASE("passwords in a URL's query go, up to the next parameter") {
    CHECK(redact("postgresql://h/d?user=u&password=s3cret&sslmode=require") ==
          "postgresql://h/d?user=u&password=***&sslmode=require");
    CHECK(redact("postgresql://h/d?sslpassword=k3y#f") == "postgresql://h/d?sslpassword=***#f");
}

TEST_CASE("text without secrets stays as it is") {
    keeps("");
    keeps("connected to redis://cache:6379/0, mail ops@example.org");
    keeps("connected to redis://cache, mail ops@example.org");
    keeps("http://[::1]:8080/health and ops@example.org");
    keeps("redis://cache:6379");
    keeps("password authentication failed for user \"anna\"");
    keeps("a = b, x=y, ://@, =, password");
    keeps("window=15 s, count=3");
    keeps("password=");
    keeps("://u:p@h has no scheme");
    keeps("gr\xC3\xBC\xC3\x9F dich \xFF\xFE");
}

TEST_CASE("no secret survives in text made at random around it") {
    const char* set = std::getenv("POSTRIDER_SEED");
    const auto seed = set != nullptr ? std::strtoull(set, nullptr, 10) : std::random_device{}();
    MESSAGE("POSTRIDER_SEED=" << seed);
    std::mt19937_64 random(seed);
    const std::string noise = "ab1 @:/?#&='\"\\%,;=.-\n";
    const auto words = [&](std::size_t longest) {
        std::string out;
        for (auto n = random() % longest; n > 0; --n) {
            out.push_back(noise[random() % noise.size()]);
        }
        return out;
    };
    for (int i = 0; i < 20'000; ++i) {
        const auto url = words(20) + " redis://u:SECRET@host/0 " + words(20);
        CHECK_MESSAGE(redact(url).find("SECRET") == std::string::npos, url);
        const auto pair = words(20) + " password=SECRET host=db " + words(20);
        CHECK_MESSAGE(redact(pair).find("SECRET") == std::string::npos, pair);
    }
}
