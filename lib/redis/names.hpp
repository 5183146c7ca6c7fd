#pragma once

#include <string>
#include <string_view>

#include "event/route.hpp"

namespace postrider::redis {

// The bridge that has the keys which the Python bridge and its workers know.
inline constexpr std::string_view default_bridge = "postrider";

// The keys that a bridge keeps in Redis for one target, all in one place. Bridges of different names may push
// to one target of one database: they share the target alone. Every key of a bridge that is not the default
// one begins with "postrider@NAME:", and a name holds no ':', so that it is no other bridge's.
//
// In a cluster they all share the target's slot: they carry its name as their hash tag, or the tag that the
// name has itself.
class target_keys {
 public:
    target_keys(const event::target& to, std::string_view bridge, bool in_cluster);

    // An open group. The built-in route's contexts stand where the Python bridge has them.
    std::string context(std::string_view route, std::string_view key) const;
    // A delayed event; the token is unique across processes.
    std::string delay(std::string_view route, std::string_view token) const;
    // The letter of a refused push, until Postgres has it.
    std::string letter(std::string_view route, std::string_view token) const;

    // The number of the bridge's last process that has claimed the target. A channel may have the name of a
    // list or stream, and is a target of its own, with what guards it.
    std::string epoch() const { return guard("epoch"); }
    // The epoch that this process has raised last by itself.
    std::string renewed(std::string_view process) const { return guard("renewed", process); }
    // The last batch that this process delivered.
    std::string ledger(std::string_view process) const { return guard("ledger", process); }
    // What is written beside a push so that WAIT has something to wait for, also where the push was done
    // before.
    std::string written() const { return guard("written"); }

    // Up to which event all that a route has heard is delivered or saved, and what it has delivered behind
    // that.
    std::string place(std::string_view route) const { return beside("place:", route); }
    std::string behind(std::string_view route) const { return beside("behind:", route); }
    // The ids a route has delivered lately, and the time up to which it has caught up.
    std::string seen(std::string_view route) const { return beside("seen:", route); }
    std::string caught_up(std::string_view route) const { return beside("caught_up:", route); }

 private:
    std::string beside(std::string_view what, std::string_view more) const;
    std::string guard(std::string_view what) const;
    std::string guard(std::string_view what, std::string_view process) const;

    std::string contexts_;  // what all of them begin with: contexts,
    std::string delays_;    // delayed events,
    std::string letters_;   // letters,
    std::string beside_;    // and what is kept beside the target
    std::string tag_;       // "{bot_messages}:" in a cluster
    bool is_channel_;
};

// Patterns (glob.hpp) for the open groups and delayed events of a bridge, and no other's: no byte of a name
// has a meaning in them.
std::string context_pattern(std::string_view bridge);
std::string delay_pattern(std::string_view bridge);
// The latter and the letters, in one search.
std::string delay_and_letter_pattern(std::string_view bridge);

// A dead letter that was pushed again. The bridges of one Postgres share their dead letters, and whichever
// pushes one again does it once.
std::string replay_ledger_name(const event::target& to, std::string_view token);

}  // namespace postrider::redis
