#include "redis/names.hpp"

#include <doctest/doctest.h>

using namespace postrider::redis;
using postrider::event::target;
using postrider::event::target_kind;

namespace {

target list(std::string name) {
    return {.kind = target_kind::list, .name = std::move(name), .max_length = 0};
}

}  // namespace

TEST_CASE("outside a cluster the names are those that the Python bridge and earlier runs know") {
    CHECK(slot_tag("bot_messages", false).empty());
    CHECK(context_name("", "bot_events", "m1") == "context:m1");
    CHECK(context_name("", "typing", "m1") == "context@typing:m1");
    CHECK(delay_name("", "new_match", "t") == "postrider:delay:new_match:t");
    CHECK(target_key("bot_messages", "x") == "postrider:{bot_messages}:x");
}

TEST_CASE("in a cluster everything about a target shares its slot, whatever stands in routes and keys") {
    for (const char* name : {"bot_messages", "a{b}c", "{x}", "open{"}) {
        CAPTURE(name);
        const auto slot = slot_of(name);
        const auto tag = slot_tag(name, true);
        CHECK(slot_of(context_name(tag, "bot_events", "{m}1")) == slot);
        CHECK(slot_of(context_name(tag, "{r}", "m1")) == slot);
        CHECK(slot_of(delay_name(tag, "{r}", "t")) == slot);
        CHECK(slot_of(ledger_name(list(name), "w")) == slot);
        CHECK(slot_of(written_name(name)) == slot);
        CHECK(slot_of(seen_name(name, "{r}")) == slot);
        CHECK(slot_of(caught_up_name(name, "r")) == slot);
    }
}

TEST_CASE("two targets with the same tag keep their own ledgers") {
    CHECK(ledger_name(list("a{t}"), "w") != ledger_name(list("b{t}"), "w"));
    CHECK(ledger_name(list("{t}"), "w") != ledger_name(list("t"), "w"));
}

TEST_CASE("a channel keeps its own ledger beside a list or stream of its name, which are one key") {
    const auto to = [](target_kind kind) { return target{.kind = kind, .name = "q", .max_length = 0}; };
    CHECK(ledger_name(to(target_kind::pubsub), "w") != ledger_name(to(target_kind::list), "w"));
    CHECK(slot_of(ledger_name(to(target_kind::pubsub), "w")) == slot_of("q"));
}
