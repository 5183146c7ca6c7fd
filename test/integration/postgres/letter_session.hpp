#pragma once

#include <string>
#include <vector>

#include "core/token.hpp"
#include "postgres/dead_letters.hpp"
#include "support/loop.hpp"
#include "support/postgres_server.hpp"
#include "support/sql.hpp"

namespace postrider::test {

inline support::postgres_server& letter_server() {
    static support::postgres_server server;
    return server;
}

// A database of the shared server, made by the first who asks for it.
inline std::string letter_database(const std::string& name) {
    support::sql owner(letter_server().url());
    if (owner.rows("SELECT 1 FROM pg_database WHERE datname = $1", {name}).empty())
        owner.run("CREATE DATABASE " + name);
    return letter_server().url(name);
}

inline event::dead_letter event_letter(std::string payload, std::uint64_t attempts = 1) {
    event::dead_letter l;
    l.token = core::random_token();
    l.route = "r";
    l.channel = "c";
    l.reason = "not_json";
    l.error = "not JSON";
    l.payload = std::move(payload);
    l.attempts = attempts;
    l.first = l.last = std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
    return l;
}

inline event::dead_letter push_letter(std::string body) {
    auto l = event_letter(std::move(body));
    l.kind = event::dead_letter::origin::push;
    l.reason = "WRONGTYPE";
    return l;
}

// A connection to a database with the schema.
struct letter_session {
    explicit letter_session(const std::string& name);

    bool store(const std::vector<event::dead_letter>& letters) {
        std::vector<postgres::stored_letter> all;
        for (const auto& each : letters)
            all.push_back({0, each});
        const auto done = l.value_of(postgres::store_letters(*c, std::move(all), in(1min)));
        CHECK_MESSAGE(done.has_value(), (done ? "" : done.error().message));
        return done.has_value();
    }
    std::vector<postgres::stored_letter> find(event::letter_filter f, std::int64_t after = 0,
                                              std::size_t most = 100) {
        auto found = l.value_of(postgres::find_letters(*c, std::move(f), after, 1'000'000, most, in(1min)));
        REQUIRE_MESSAGE(found.has_value(), (found ? "" : found.error().message));
        return std::move(*found);
    }
    // By id.
    std::string attempts() {
        std::string all;
        for (const auto& each : find({}))
            all += (all.empty() ? "" : " ") + std::to_string(each.letter.attempts);
        return all;
    }

    loop l;
    std::optional<postgres::connection> c;
};

}  // namespace postrider::test
