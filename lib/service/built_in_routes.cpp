#include "service/built_in_routes.hpp"

namespace postrider::service {

namespace {

event::route bot_events(const built_in_numbers& numbers) {
    event::route r;
    r.name = "bot_events";
    r.channel = "bot_events";
    r.policy = event::policy::group;
    // No id and no time: the payloads of the bridge that this replaces need not carry them.
    r.key = "/match_id";
    r.grouping.kind = event::window_kind::fixed;
    r.grouping.window = numbers.window;
    r.grouping.cooldown = numbers.cooldown;
    r.target.name = "bot_messages";
    r.type = "grouped";
    r.fields = {{"match_id", "/match_id"}, {"bot_id", "/bot_id"}};
    return r;
}

event::route new_match(const built_in_numbers& numbers) {
    event::route r;
    r.name = "new_match";
    r.channel = "new_match";
    r.policy = event::policy::delay;
    r.key = "/id";
    r.delaying.min = numbers.min_delay;
    r.delaying.max = numbers.max_delay;
    r.delaying.spread = event::distribution::triangular;
    r.delaying.probability = numbers.probability;
    if (numbers.test_mode) {
        r.delaying.min = core::milliseconds{0};
        r.delaying.max = core::milliseconds{60'000};
        r.delaying.spread = event::distribution::uniform;
        r.delaying.probability = 1;
    }
    // A conversation that has begun needs no opening line.
    r.delaying.cancel_on = "bot_events";
    r.delaying.cancel_key = "/match_id";
    r.target.name = "bot_messages";
    r.type = "initiation";
    r.fields = {{"match_id", "/id"}};
    r.participants = {"/user1_id", "/user2_id"};
    r.bot_ids = numbers.bot_ids;
    return r;
}

}  // namespace

std::vector<event::route> built_in_routes(const built_in_numbers& numbers) {
    return {bot_events(numbers), new_match(numbers)};
}

}  // namespace postrider::service
