#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/clock.hpp"
#include "core/rate.hpp"
#include "redis/delivery.hpp"
#include "service/lane.hpp"

namespace postrider::service {

// What is told of the events: in the log which was taken and pushed, at the endpoints how many in a second
// and what went wrong last.
class event_journal {
 public:
    struct mishap {
        std::string words;
        core::wall::time_point at{};
    };

    event_journal();

    void arrived(core::steady::time_point now) { arrivals_.add(1, now); }
    void departed(std::uint64_t events, core::steady::time_point now) { departures_.add(events, now); }
    double events_per_second() const { return arrivals_.per_second(core::steady::now()); }
    double deliveries_per_second() const { return departures_.per_second(core::steady::now()); }

    // `group` is its serial; 0: it opens or joins none.
    void tell_taken(const lane& l, std::string_view key, std::uint64_t group) const;
    void tell_pushed(const lane& l, const redis::delivery& d) const;
    // How a group is called in the log: the same in no two processes; the serial wraps as in a delivery.
    std::string group_id(std::uint64_t serial) const;

    // The endpoints show it to everybody, so no payload may be in it.
    void remember(const std::string& words);
    const std::optional<mishap>& last_mishap() const { return mishap_; }

 private:
    core::rate arrivals_;
    core::rate departures_;
    std::optional<mishap> mishap_;
    std::string instance_;  // begins the ids of its groups
};

}  // namespace postrider::service
