#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "redis/names.hpp"
#include "redis/pipeline.hpp"
#include "redis/place.hpp"
#include "redis/push_line.hpp"
#include "redis/reply.hpp"

namespace postrider::redis {

// Everything but the batch that a call of push.lua needs.
struct push_terms {
    std::string_view script_sha;
    const target_keys& keys;
    std::string_view writer;  // this process, in the ledger
    std::uint64_t epoch = 0;
    const std::function<place(std::size_t route)>& place_of;
    const std::function<std::vector<std::string>(const delivery& d)>& stream_fields;
};

// Appends the call of push.lua that delivers a batch: pure.
void append_push(pipeline& p, const event::target& to, const batch& b, const push_terms& terms);

// The same to a list in a transaction, for a batch that was never sent: RPUSH brings all but the last
// delivery, and push.lua the last with all the rest. What a script is given becomes Lua's strings, each
// hashed byte by byte, which took 40 % of Redis' time. It is done only where the connection watches the
// epoch, see append_watch().
void append_transaction(pipeline& p, const event::target& to, const batch& b, const push_terms& terms);
inline constexpr std::size_t transaction_replies = 4;
// Whether its replies say that all of it was done. If not, nothing was, or the ledger knows it: append_push()
// is the way to send the batch then.
bool transaction_done(std::span<const reply> replies);

// Watches the target's epoch for the next transaction, which ends the watch.
void append_watch(pipeline& p, const target_keys& keys);
inline constexpr std::size_t watch_replies = 4;
// Whether its replies say that transactions are allowed and that nobody has claimed the target since `epoch`.
bool watch_holds(std::span<const reply> replies, std::uint64_t epoch);

}  // namespace postrider::redis
