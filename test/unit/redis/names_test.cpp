#include "redis/names.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

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
        CHECK(slot_of(epoch_name(list(name))) == slot);
        CHECK(slot_of(renewed_name(list(name), "w")) == slot);
        CHECK(slot_of(written_name(list(name))) == slot);
        CHECK(slot_of(seen_name(name, "{r}")) == slot);
        CHECK(slot_of(caught_up_name(name, "r")) == slot);
    }
}

TEST_CASE("two targets with the same tag keep their own ledgers") {
    CHECK(ledger_name(list("a{t}"), "w") != ledger_name(list("b{t}"), "w"));
    CHECK(ledger_name(list("{t}"), "w") != ledger_name(list("t"), "w"));
}

TEST_CASE("what guards a channel is apart from what guards a list or stream of its name, which are one key") {
    const auto guards = [](target_kind kind) {
        const target to{.kind = kind, .name = "q", .max_length = 0};
        return std::vector{ledger_name(to, "w"), epoch_name(to), renewed_name(to, "w"), written_name(to)};
    };
    const auto of_list = guards(target_kind::list);
    CHECK(guards(target_kind::stream) == of_list);
    CHECK(of_list == std::vector<std::string>{"postrider:{q}:ledger:w", "postrider:{q}:epoch",
                                              "postrider:{q}:renewed:w", "postrider:{q}:written"});
    const auto of_channel = guards(target_kind::pubsub);
    for (std::size_t i = 0; i < of_list.size(); ++i) {
        CHECK(of_channel[i] != of_list[i]);
        CHECK(slot_of(of_channel[i]) == slot_of("q"));
    }
}
