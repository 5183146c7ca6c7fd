#pragma once

#include <string_view>

#include "redis/reply.hpp"

namespace postrider::redis {

// What a reply means for what was sent.
enum class verdict {
    delivered,  // done
    retry,      // the server cannot now: the same again, later
    reroute,    // another cluster node is responsible
    reload,     // the script is unknown there: send its text
    stale,      // push.lua, save.lua: another process has taken over
    permanent,  // the same again would fail again
};

// Pure. Everything that is not an error is delivered; every error not known to pass is permanent.
verdict classify(const reply& r);

// The server is no longer the primary: the connection is to be dropped and the name resolved again.
bool wants_reconnect(const reply& r);

// The first word of an error ("OOM"), the inner one where a script's error wraps it; where a script's error
// says it in words alone, the code that a command gets for the same ("CLUSTERDOWN"). Empty for other replies.
// Up to Redis 6 a script's error reads "ERR Error running script (call to f_…): @user_script:1: -OOM …"; from
// Redis 7 the inner code stands first.
std::string_view code_of(const reply& r);

}  // namespace postrider::redis
