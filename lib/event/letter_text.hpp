#pragma once

#include <boost/system/result.hpp>
#include <cstdint>
#include <string>
#include <string_view>

#include "event/dead_letter.hpp"

namespace postrider::event {

// The letter of a refused push as it stands in Redis until Postgres has it:
//   {"route":…,"key":…,"position":17,"refused":"2026-…","reason":…,"error":…,"attempts":1,"payload":…,
//    "seen_in":…,"seen":[1795000000000,"id",…]}
// Its token is in its name; channel and target are those of its route.
struct saved_letter {
    dead_letter letter;
    std::uint64_t position = 0;  // of its last event among those of its route; 0: not known
};

std::string save_letter(const saved_letter& saved);
// An error is a sentence that says what is wrong with it.
boost::system::result<saved_letter, std::string> parse_letter(std::string_view text);

}  // namespace postrider::event
