#pragma once

#include <cstdint>
#include <string>

namespace postrider::redis {

// Where a route stands among the events of its channel, for whoever takes over. Every replica hears the same
// notifications in the same order, so a number names the same event everywhere, once both know a marker that
// was notified in between.
struct place {
    // How what is delivered says which events it has: all up to the last one; the last one of its key; this
    // one alone.
    enum class order { in_order, by_key, single };

    std::string route;
    place::order kind = order::by_key;
    std::string marker;        // the last one heard
    std::uint64_t base = 0;    // the number of the last event before it
    std::string markers = {};  // the latest, see event::markers_text; empty: only the last one is told
};

}  // namespace postrider::redis
