// The statements on the table of dead letters.
#include "postgres/dead_letters.hpp"

#include <doctest/doctest.h>

#include "letter_session.hpp"
#include "postgres/schema.hpp"
#include "support/sql.hpp"

using namespace postrider;
using namespace postrider::test;
using event::dead_letter;
using postgres::stored_letter;

namespace {}  // namespace

TEST_CASE("a letter comes back from Postgres as it went in") {
    letter_session s("whole");
    auto l = push_letter("b\"o\\dy ☃\n");
    l.key = "it's";
    l.target = {.kind = event::target_kind::stream, .name = "out", .max_length = 100};
    l.seen = {{1'795'000'000'000, "id \"1\""}, {-5, "i\\d,{2}"}};
    l.seen_in = "postrider:{out}:seen:r";
    l.error = "WRONGTYPE Operation against a key";
    REQUIRE(s.store({l, event_letter("not JSON")}));
    const auto found = s.find({});
    REQUIRE(found.size() == 2);
    const auto& back = found[0].letter;
    CHECK(back.kind == dead_letter::origin::push);
    CHECK(back.token == l.token);
    CHECK(back.payload == l.payload);
    CHECK(back.key == "it's");
    CHECK(back.target.kind == event::target_kind::stream);
    CHECK(back.target.name == "out");
    CHECK(back.target.max_length == 100);
    CHECK(back.seen == l.seen);
    CHECK(back.seen_in == l.seen_in);
    CHECK(back.error == l.error);
    CHECK(back.first == l.first);
    CHECK(back.last == l.last);
    CHECK(found[1].letter.kind == dead_letter::origin::event);
    CHECK(found[1].letter.seen.empty());
}

TEST_CASE("to write the same once more changes nothing, and the same event later counts up") {
    letter_session s("again");
    const auto first = event_letter("bad", 3);
    const auto other = push_letter("body");
    CHECK(s.store({first, other}));
    CHECK(s.store({first, other}));
    CHECK(s.attempts() == "3 1");
    const auto later = event_letter("bad", 2);
    CHECK(s.store({later}));
    CHECK(s.store({later}));
    CHECK(s.attempts() == "5 1");
    // A push with the same body is another push.
    CHECK(s.store({push_letter("body"), event_letter("new")}));
    CHECK(s.attempts() == "5 1 1 1");
}

TEST_CASE("letters are found, counted and dropped by filters, page by page") {
    letter_session s("filters");
    std::vector<dead_letter> many;
    for (int i = 0; i < 10; ++i)
        many.push_back(event_letter(std::to_string(i)));
    many[3].route = "other";
    many[4].reason = "no_key";
    many[5].last -= std::chrono::hours(5);
    REQUIRE(s.store(many));
    const auto payloads = [&](event::letter_filter f, std::int64_t after = 0, std::size_t most = 100) {
        std::string all;
        for (const auto& l : s.find(std::move(f), after, most))
            all += l.letter.payload;
        return all;
    };
    CHECK(payloads({}) == "0123456789");
    CHECK(payloads({.route = "other"}) == "3");
    CHECK(payloads({.reason = "no_key"}) == "4");
    CHECK(payloads({.older_than = std::chrono::hours(1)}) == "5");
    CHECK(payloads({.newer_than = std::chrono::hours(1)}) == "012346789");
    CHECK(payloads({.ids = {1, 3, 99}}) == "02");
    CHECK(payloads({}, 4, 3) == "456");
    const auto counted = s.l.value_of(postgres::count_letters(*s.c, {.route = "r"}, in(1min)));
    REQUIRE(counted.has_value());
    CHECK(counted->count == 9);
    CHECK(counted->newest == 10);
    CHECK(s.l.value_of(postgres::drop_letters(*s.c, {.route = "r"}, 8, 3, in(1min))).value() == 3);
    CHECK(payloads({}) == "3456789");
    CHECK(s.l.value_of(postgres::drop_letters(*s.c, {.route = "r"}, 8, 100, in(1min))).value() == 4);
    CHECK(payloads({}) == "389");
}

TEST_CASE("a page of large letters is short, and has at least one") {
    letter_session s("large");
    const std::string half(600 * 1024, 'h');
    REQUIRE(s.store(
        {push_letter(half), push_letter(half), push_letter(std::string(2 << 20, 'l')), push_letter("s")}));
    CHECK(s.find({}).size() == 1);
    CHECK(s.find({}, 1).size() == 1);
    CHECK(s.find({}, 2).size() == 1);
    CHECK(s.find({}, 3).size() == 1);
    CHECK(s.find({}, 4).empty());
}

TEST_CASE("an event is notified and its letter deleted in one transaction, or neither") {
    letter_session s("notify");
    REQUIRE(s.store({event_letter("bad"), event_letter(std::string(8'000, 'x'))}));
    REQUIRE(s.l.value_of(s.c->query("LISTEN again", {}, in(1min))).has_value());
    REQUIRE(s.l.value_of(s.c->query("LISTEN first", {}, in(1min))).has_value());
    const postgres::announcement first{"first", "one"};
    CHECK(s.l.value_of(postgres::replay_event(*s.c, 1, "again", first, in(1min))).value());
    CHECK(!s.l.value_of(postgres::replay_event(*s.c, 1, "again", std::nullopt, in(1min))).value());
    // A notification cannot carry it: the letter stays.
    CHECK(!s.l.value_of(postgres::replay_event(*s.c, 2, "again", std::nullopt, in(1min))).has_value());
    std::string heard;
    s.c->take_notifications([&](auto channel, auto payload) {
        heard += std::string(channel) + ":" + std::string(payload) + " ";
    });
    CHECK(heard == "first:one again:bad ");
    CHECK(s.find({}).size() == 1);
}

TEST_CASE("one session replays at a time") {
    letter_session s("lock");
    letter_session other("lock");
    CHECK(s.l.value_of(postgres::lock_replays(*s.c, 1s)).value());
    CHECK(!other.l.value_of(postgres::lock_replays(*other.c, 50ms)).value());
    REQUIRE(s.l.value_of(postgres::unlock_replays(*s.c, in(1min))).has_value());
    CHECK(other.l.value_of(postgres::lock_replays(*other.c, 10s)).value());
}
