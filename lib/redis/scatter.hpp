#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/error.hpp"
#include "redis/address.hpp"
#include "redis/pipeline.hpp"
#include "redis/reply.hpp"
#include "redis/slot_map.hpp"

namespace postrider::redis {

// One pipeline on its way through a cluster: cut into a part for each server, its redirections followed, and
// the replies put back in order (https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/,
// "Redirection and resharding"). Pure.
class scatter {
 public:
    struct part {
        address to;
        pipeline commands;
    };

    explicit scatter(pipeline commands);

    // What to send now, a part for each server; none: every command has its reply. What cannot be sent,
    // because nobody has the slot or its server is not among the connected ones, is answered with
    // CLUSTERDOWN.
    std::vector<part> next(const slot_map& slots, const std::vector<address>& connected);

    // The replies to a part of the last next(), or why there are none; each part must be answered before the
    // next call of next().
    void answered(std::size_t part_number, core::result<std::vector<reply>> replies);

    // One reply each, in the commands' order; once next() has returned nothing.
    std::vector<reply> take() { return std::move(replies_); }

    // A reply says that the slots are not where the map has them.
    bool map_is_old() const { return map_is_old_; }
    // Servers that a redirection named and that are not connected.
    const std::vector<address>& strangers() const { return strangers_; }

 private:
    // Commands that stay together: one, and those behind it.
    struct unit {
        std::size_t first = 0;
        std::size_t count = 1;
        std::optional<address> redirected;
        bool asking = false;
        unsigned hops = 0;
        bool waits = true;
        bool answered = false;
    };
    // A unit within a part.
    struct piece {
        std::size_t unit;
        std::size_t at;  // of its first reply in the part's replies
        std::size_t stride;
    };

    void send(std::vector<part>& parts, const address& to, std::size_t unit_number);
    void send_to_slot(std::vector<part>& parts, const slot_map& slots, const std::vector<address>& connected,
                      std::size_t unit_number);
    using slot_places = std::map<std::uint16_t, std::optional<address>>;

    bool follow(unit& u, const slot_places& moved) const;
    bool redirect(unit& u, const reply& r, const address& asked);
    void refuse(unit& u, const std::string& why);
    void keep(reply& place, reply r, bool join) const;

    pipeline commands_;
    std::vector<unit> units_;
    std::vector<reply> replies_;
    std::vector<address> sent_to_;          // of the last parts
    std::vector<std::vector<piece>> sent_;  // in them
    std::vector<address> strangers_;
    bool map_is_old_ = false;
};

// Where "MOVED 3999 127.0.0.1:6381" or "ASK …" points to, an empty host being that of the server `asked`;
// nothing where it is neither.
std::optional<address> redirection(const reply& r, const address& asked);

}  // namespace postrider::redis
