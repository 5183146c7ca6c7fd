#pragma once

#include <string>
#include <string_view>

#include "event/delays.hpp"
#include "event/grouper.hpp"
#include "event/payload.hpp"
#include "event/route.hpp"

namespace postrider::event {

// {"type":"grouped","count":N,"messages":[…],"match_id":"…","bot_id":"…"}: messages byte for byte, the fields
// raw from the first message.
std::string render_group(const route& r, const group& g, payload_reader& reader);

// {"type":"initiation","match_id":…,"bot_id":…,"user_id":…,"scheduled_for":"…","match":{…}}.
// With r.participants, bot_id is the participant found in r.bot_ids and user_id the other.
std::string render_delayed(const route& r, const delayed& d, payload_reader& reader);

// Which of the participants is the bot.
struct pairing {
    std::string bot;   // raw JSON; empty: none of the two is one of r.bot_ids
    std::string user;  // raw JSON
};
pairing find_bot(const route& r, std::string_view payload, payload_reader& reader);

}  // namespace postrider::event
