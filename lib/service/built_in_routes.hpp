#pragma once

#include <string>
#include <vector>

#include "core/clock.hpp"
#include "event/route.hpp"

namespace postrider::service {

// What the environment says about the built-in routes: the Python bridge's variables.
struct built_in_numbers {
    core::milliseconds window{15'000};           // GROUPING_DELAY
    core::milliseconds cooldown{5'000};          // PUSH_COOLDOWN
    bool test_mode = false;                      // TEST_MODE: delays from 0 to 60 s, always
    double probability = 0.5;                    // INITIATION_PROBABILITY
    core::milliseconds min_delay{15 * 60'000};   // MIN_DELAY_MINUTES
    core::milliseconds max_delay{360 * 60'000};  // MAX_DELAY_MINUTES
    std::vector<std::string> bot_ids;            // BOT_IDS and BOT_*_ID
};

// The routes that stand where no file names any: bot_events (chat messages, grouped by conversation) and
// new_match (an opening line later, unless the conversation has begun by then).
std::vector<event::route> built_in_routes(const built_in_numbers& numbers);

}  // namespace postrider::service
