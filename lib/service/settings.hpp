#pragma once

#include <array>
#include <span>
#include <string>
#include <string_view>

#include "service/built_in_routes.hpp"
#include "service/configuration.hpp"

namespace postrider::service {

// A configuration in the making.
struct draft {
    configuration made;
    built_in_numbers numbers;
    std::string context_ttl_from;                    // who set it; empty: nobody
    std::vector<std::string> built_in_numbers_from;  // who set any of the numbers
};

// A value as somebody gave it.
struct given_value {
    std::string text;
    std::string from;  // "--port", "PORT" or "postrider.toml:3: http.port"
};

// One setting outside of the routes: who may give it, and where it goes.
struct setting {
    std::string_view table, key;                // in the file; empty: not there
    std::array<std::string_view, 3> variables;  // the first that is set counts
    // Reads the value into the draft; words to follow the value where it is wrong, otherwise empty.
    std::string (*apply)(draft&, const given_value&);
    std::string_view flag{};     // empty: none
    bool secret = false;         // its text is never shown
    std::string_view missing{};  // what to say where nobody gives it; empty: it may be missing
};

// In the order in which they are applied: a URL comes before what refines it.
std::span<const setting> all_settings();

}  // namespace postrider::service
