// Bytes that OpenSSL has decrypted and libpq has not taken yet do not make a socket readable.
#include <doctest/doctest.h>

#include "listening.hpp"
#include "postgres/connection.hpp"
#include "support/postgres_server.hpp"
#include "support/sql.hpp"
#include "tls_front.hpp"

using namespace postrider;
using namespace postrider::test;

namespace {

struct fronted {
    support::temporary_folder folder;
    support::certificates shown{folder};
    support::postgres_server server;
    tls_front front{shown, server.port()};
    std::string conninfo = "host=127.0.0.1 port=" + std::to_string(front.port()) +
                           " user=postgres dbname=postgres sslmode=verify-full sslrootcert=" + shown.ca;
};

}  // namespace

TEST_CASE("answers of any length come whole through large TLS records") {
    fronted f;
    loop l;
    for (const auto* row : {"4500", "6000", "7500"}) {
        for (int count = 1; count <= 8; ++count) {
            INFO(count, " rows of ", row);
            // A new connection each time, because libpq's buffer grows until every record fits into it.
            auto c = l.value_of(postgres::connection::open(f.conninfo, 10min));
            REQUIRE_MESSAGE(c.has_value(), (c ? "" : c.error().message));
            auto sql = "SELECT repeat('x', " + std::string(row) + ") FROM generate_series(1, " +
                       std::to_string(count) + ")";
            const auto answer = l.value_of(c->query(std::move(sql), {}, in(60s)));
            REQUIRE_MESSAGE(answer.has_value(), (answer ? "" : answer.error().message));
            CHECK(answer->size() == static_cast<std::size_t>(count));
        }
    }
}

TEST_CASE("a burst comes whole through large TLS records, and nothing waits for the next event") {
    fronted f;
    listening l(patient(f.conninfo));
    REQUIRE(l.until_up());
    support::sql writer(f.server.url());
    std::size_t expected = 0;
    for (std::size_t count = 5; count <= 24; ++count) {
        INFO(count);
        writer.run("SELECT count(pg_notify('events', n || repeat('x', 6000))) FROM generate_series(1, " +
                   std::to_string(count) + ") n");
        expected += count;
        REQUIRE(l.until_heard(expected));
    }
    CHECK(l.heard.size() == expected);
}
