#include "http/letters.hpp"

#include <doctest/doctest.h>

using namespace postrider;
using namespace std::chrono_literals;

TEST_CASE("only the very token opens, whatever the letter case of the scheme") {
    CHECK(http::is_authorized("Bearer secret", "secret"));
    CHECK(http::is_authorized("bearer secret", "secret"));
    for (const auto* wrong : {"", "Bearer", "Bearer ", "secret", "Basic secret", "Bearer Secret",
                              "Bearer secre", "Bearer secret2", "Bearer  secret", "Bearer secret "}) {
        CAPTURE(wrong);
        CHECK(!http::is_authorized(wrong, "secret"));
    }
    // Without a token nobody is let in, not even with an empty one.
    CHECK(!http::is_authorized("Bearer ", ""));
}

TEST_CASE("a query is read with all its filters") {
    const auto q = http::read_letter_query(
        "route=a%20b+c&reason=not_json&older_than=2d&newer_than=1h&limit=7&after=m12&id=3&id=m4");
    REQUIRE(q.has_value());
    CHECK(q->route == "a b c");
    CHECK(q->reason == "not_json");
    CHECK(q->older_than == 48h);
    CHECK(q->newer_than == 1h);
    CHECK(q->limit == 7);
    CHECK(q->after == "m12");
    CHECK(q->ids == std::vector<std::string>{"3", "m4"});
    CHECK(http::read_letter_query("")->limit == 100);
    CHECK(http::read_letter_query("&&")->route.empty());
}

TEST_CASE("a wrong query is told by its parameter") {
    for (const auto* wrong : {"limit=0", "limit=501", "limit=1x", "limit=", "id=x", "after=x", "after=-1",
                              "older_than=soon", "newer_than=", "rute=a", "route=%4", "route=%00"}) {
        CAPTURE(wrong);
        const auto q = http::read_letter_query(wrong);
        REQUIRE(!q.has_value());
        const std::string text = wrong;
        CHECK(q.error().message.starts_with(text.substr(0, text.find('=')) + ": "));
    }
}

TEST_CASE("a page shows its letters whole, and where the next one begins") {
    http::letter l;
    l.id = "5";
    l.kind = "push";
    l.route = "chat";
    l.channel = "chat";
    l.key = "k";
    l.reason = "WRONGTYPE";
    l.error = "WRONGTYPE Operation";
    l.target_kind = "list";
    l.target = "out";
    l.payload = "{\"a\":\"\xff\"}";
    l.attempts = 3;
    const http::letter_page page{"postgres", {l}, true};
    CHECK(
        http::letters_body(page) ==
        R"({"store":"postgres","letters":[{"id":"5","kind":"push","route":"chat","channel":"chat","key":"k",)"
        R"("reason":"WRONGTYPE","error":"WRONGTYPE Operation","attempts":3,"first":"1970-01-01T00:00:00.000Z",)"
        R"("last":"1970-01-01T00:00:00.000Z","target":{"kind":"list","name":"out"},)"
        "\"payload\":\"{\\\"a\\\":\\\"\xEF\xBF\xBD\\\"}\"}],\"next\":\"5\"}");
    CHECK(http::letters_body({"memory", {}, false}) == R"({"store":"memory","letters":[],"next":null})");
}
