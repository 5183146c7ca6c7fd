#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace postrider::redis {

// Which servers of a cluster a command goes to.
struct destination {
    enum class kind {
        slot,   // the primary of this slot
        any,    // one primary, whichever
        every,  // each primary that is connected; their arrays are joined, otherwise the first error or reply
    };
    kind to = kind::any;
    std::uint16_t slot = 0;

    friend bool operator==(const destination&, const destination&) = default;
};

// Pure, from the command's words, its name in capitals: the slot of the first key of EVAL, EVALSHA and FCALL;
// every primary for SCRIPT, FUNCTION, KEYS, FLUSHALL and FLUSHDB; any for what has no key (PING, INFO …); for
// all others the slot of the first word behind the name.
destination destination_of(std::span<const std::string_view> words);

}  // namespace postrider::redis
