#pragma once

#include <string>
#include <vector>

#include "event/route.hpp"
#include "service/toml_file.hpp"

namespace postrider::service {

// Turns one [[route]] into a route; `bot_ids` (from the environment) stand in where a route with participants
// names none. Appends to `problems` what is wrong with single keys and, where those are well, with the whole;
// one line each, with file and line. The route is complete only where nothing was appended.
//
//   [[route]]
//   name = "bot_events"             # required: 1 to 63 of A-Z a-z 0-9 _ . -
//   channel = "bot_events"          # required: 1 to 63 bytes
//   policy = "group"                # required: group, delay or immediate
//   key = "/match_id"               # required but for immediate: JSON pointer to a string or number
//   id = "/id"                      # pointer to what makes an event unique; default: none
//   time = "/created_at"            # pointer to the event's time; default: the time of arrival
//   target = "list"                 # list (default), stream or pubsub
//   to = "bot_messages"             # required: the list's, stream's or channel's name
//   max_length = 100000             # stream only: about so many entries are kept; default: all
//   max_payload_bytes = 1048576     # default 1 MiB
//   catch_up = "SELECT …"           # $1 = newest event time minus overlap; needs id; default: none
//   overlap = "60s"                 # default 60 s; only with catch_up
//
//   # policy group
//   window = "15s"                  # default 15 s
//   window_kind = "fixed"           # fixed (default) or sliding
//   max_wait = "1m"                 # sliding only; default: 4 windows, 60 s at least
//   cooldown = "5s"                 # default 5 s
//   max_events = 1000               # default 1,000
//   max_bytes = 1048576             # default 1 MiB
//
//   # policy delay
//   min_delay = "15m"               # default 0
//   max_delay = "6h"                # required
//   distribution = "uniform"        # uniform (default) or triangular
//   probability = 0.5               # default 1
//   cancel_on = "bot_events"        # channel whose event of the same key cancels; default: none
//   cancel_key = "/match_id"        # that key in the cancelling event; default: key
//   participants = ["/user1_id", "/user2_id"]
//   bot_ids = ["…"]                 # required with participants; default: BOT_IDS
//
//   # policies group and delay
//   type = "grouped"                # default "grouped" and "initiation"
//   fields = { match_id = "/match_id" }
event::route read_route(const toml_file& file, const file_table& table,
                        const std::vector<std::string>& bot_ids, std::vector<std::string>& problems);

}  // namespace postrider::service
