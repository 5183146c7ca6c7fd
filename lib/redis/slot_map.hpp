#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/error.hpp"
#include "redis/address.hpp"
#include "redis/reply.hpp"

namespace postrider::redis {

// Which primary of a cluster has which slot: pure.
class slot_map {
 public:
    slot_map() = default;  // nobody has any slot

    // From a reply to CLUSTER SLOTS; a server that names no host for itself is reached as `asked_host`, by
    // which it was asked. Errors: server_error (with the server's words, or no slot is served), protocol.
    static core::result<slot_map> read(const reply& slots, const std::string& asked_host);

    // Null: nobody has it.
    const address* primary_of(std::uint16_t slot) const;
    // Each once, by address.
    const std::vector<address>& primaries() const { return primaries_; }
    // How many slots nobody has.
    std::size_t missing() const;

 private:
    std::vector<address> primaries_;
    std::vector<std::uint16_t> place_;  // of a slot's primary in primaries_, 0 for none, else one more
};

}  // namespace postrider::redis
