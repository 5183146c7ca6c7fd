#include "redis/names.hpp"

#include <doctest/doctest.h>

using namespace postrider::redis;

TEST_CASE("outside a cluster the names are those that the Python bridge and earlier runs know") {
    CHECK(slot_tag("bot_messages", false).empty());
    CHECK(context_name("", "bot_events", "m1") == "context:m1");
    CHECK(context_name("", "typing", "m1") == "context@typing:m1");
    CHECK(delay_name("", "new_match", "t") == "postrider:delay:new_match:t");
    CHECK(target_key("bot_messages", "x") == "postrider:{bot_messages}:x");
}

TEST_CASE("in a cluster everything about a target shares its slot, whatever stands in routes and keys") {
    for (const char* target : {"bot_messages", "a{b}c", "{x}", "open{"}) {
        CAPTURE(target);
        const auto slot = slot_of(target);
        const auto tag = slot_tag(target, true);
        CHECK(slot_of(context_name(tag, "bot_events", "{m}1")) == slot);
        CHECK(slot_of(context_name(tag, "{r}", "m1")) == slot);
        CHECK(slot_of(delay_name(tag, "{r}", "t")) == slot);
        CHECK(slot_of(ledger_name(target, "w")) == slot);
        CHECK(slot_of(written_name(target)) == slot);
        CHECK(slot_of(seen_name(target, "{r}")) == slot);
        CHECK(slot_of(caught_up_name(target, "r")) == slot);
    }
}

TEST_CASE("two targets with the same tag keep their own ledgers") {
    CHECK(ledger_name("a{t}", "w") != ledger_name("b{t}", "w"));
    CHECK(ledger_name("{t}", "w") != ledger_name("t", "w"));
}
