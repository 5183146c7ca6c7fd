#pragma once

#include <boost/intrusive/list.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "event/route.hpp"

namespace postrider::event {

using steady_time = std::chrono::steady_clock::time_point;

// The messages of one key that leave together.
struct group {
    std::string key;
    std::string messages;          // the payloads byte for byte, joined by ','
    std::vector<std::string> ids;  // of the events, where the route has an id
    std::uint64_t number = 0;      // of the last event, as its route counts them; 0: not counted
    std::uint64_t serial = 0;      // counts the groups that this grouper has opened, from 1
    std::uint32_t count = 0;
    steady_time opened{};
    steady_time last{};
};

// An open group's change that its context in Redis does not have yet.
struct context_update {
    std::string_view key;
    std::string_view messages;  // all of them
    std::size_t saved = 0;  // the first so many bytes of messages stand in Redis already; 0: write it whole
    std::uint64_t number = 0;  // of the last event
    std::uint32_t count = 0;
    steady_time opened{};
    steady_time last{};
};

// An open group and when it leaves, unless something comes in between.
struct upcoming {
    std::string_view key;  // valid until the grouper changes
    std::uint32_t count = 0;
    steady_time due{};
};

// Groups events by key: pure, fed with (event, now), where now never goes back.
//
// A fixed window ends grouping.window after the group's first event. A sliding one ends window after the
// latest event, and max_wait after the first at the latest. A group leaves when its window is over and the
// cooldown since the key's last departure too; a group that reaches max_events leaves at once, and an event
// that would carry it past max_bytes sends it off first and opens the next: these limits beat the cooldown,
// and such a departure starts it anew. Nothing is ever dropped.
class grouper {
 public:
    explicit grouper(const event::grouping& rules) : rules_(rules) {}

    // Adds an event; its id may be empty and holds no control characters. Groups that its limits send off at
    // once are appended to `leaving`, in order. `number` is the event's place among those of its route.
    // Returns the serial of the event's group.
    std::uint64_t add(std::string_view key, std::string_view id, std::string_view payload, steady_time now,
                      std::vector<group>& leaving, std::uint64_t number = 0);

    // When due() has something to do; may be earlier than the next departure, never later. Empty: nothing
    // open and no key in its cooldown.
    std::optional<steady_time> next_deadline() const;

    // Takes the groups whose time has come, in the order of their deadlines, then of their opening.
    void due(steady_time now, std::vector<group>& leaving);

    // Opens a group that an earlier process left behind; g.opened and g.last are its own. A key that is open
    // already gets the adopted messages in front of its own, and its window counts from the earlier opening.
    // Limits apply with the group's next event. An adopted group stands in Redis already; a merged one is
    // unsaved. Returns its serial.
    std::uint64_t adopt(group g);

    // Takes all open groups, in the order in which they were opened, and forgets the cooldowns.
    void take_all(std::vector<group>& leaving);

    // Contexts: calls visit(const context_update&) for each group changed since it was last visited, at most
    // `limit` of them, the longest unsaved first, and takes what it showed for saved. Returns how many it
    // showed. visit must not call the grouper.
    template <class Visitor>
    std::size_t visit_unsaved(std::size_t limit, Visitor visit);
    bool has_unsaved() const { return !unsaved_.empty(); }
    // Every change made before this time was shown; empty: all were. What is to be shown again has no time
    // but the earliest there is.
    std::optional<steady_time> unsaved_since() const;
    // What was shown for this key did not reach Redis: it is shown again, whole.
    void mark_unsaved(std::string_view key);
    // Redis may have lost everything: all open groups are shown again, whole.
    void mark_all_unsaved();

    // The groups that leave next, at most `limit`, the soonest first. It looks at `effort` keys at most,
    // however many are open; where more than that have moved to a later time or are in their cooldown, the
    // last ones of a full answer may be missing.
    std::vector<upcoming> next_due(std::size_t limit, std::size_t effort) const;

    std::size_t open_groups() const { return open_; }
    bool is_open(std::string_view key) const { return find(key).has_value(); }
    // The key's open group, valid until the grouper changes; empty: none is open.
    std::optional<context_update> find(std::string_view key) const;
    // Calls visit(key) for each open group, in no order, until it returns false.
    template <class Visitor>
    void visit_open(Visitor visit) const;
    std::size_t open_bytes() const { return bytes_; }

 private:
    // A key's record holds its open group (if count > 0) and its cooldown. It lives as long as its entries in
    // the deadline heap: one, and one more for each adoption into it.
    struct record
        : boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
        const std::string* key = nullptr;
        std::string messages;
        std::string ids;        // each followed by id_end: half the size of a vector of strings
        std::size_t saved = 0;  // bytes of messages that stand in Redis
        std::uint64_t number = 0;
        std::uint32_t count = 0;
        std::uint32_t entries = 0;  // in the deadline heap
        steady_time opened{};
        steady_time last{};
        steady_time unsaved_since{};  // while it is among the unsaved
        steady_time cooldown_until = steady_time::min();
        std::uint64_t order = 0;  // of opening: the group's serial
    };

    // Not noexcept, so that libstdc++ keeps the hash in the node instead of computing it while it walks a
    // bucket.
    struct key_hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view key) const { return std::hash<std::string_view>{}(key); }
    };

    // Never later than the record's true deadline; an entry that comes up too early is pushed again.
    struct deadline_entry {
        steady_time at;
        record* owner;
        bool operator>(const deadline_entry& other) const { return at > other.at; }
    };

    static context_update update_of(const record& r) {
        return {*r.key, r.messages, r.saved, r.number, r.count, r.opened, r.last};
    }
    record& record_of(std::string_view key);
    steady_time deadline(const record& r) const;
    void open(record& r, steady_time opened);
    void append(record& r, std::string_view payload);
    static void append_id(record& r, std::string_view id);
    group take(record& r);
    void depart(record& r, steady_time now, std::vector<group>& leaving);
    void merge(record& r, group& g);
    void need_saving(record& r, steady_time since);
    void push_deadline(record& r);
    record& pop_deadline();
    void forget(record& r);

    static constexpr char id_end = '\n';

    event::grouping rules_;
    std::unordered_map<std::string, record, key_hash, std::equal_to<>> records_;
    boost::intrusive::list<record, boost::intrusive::constant_time_size<false>> unsaved_;
    bool shown_again_ = false;  // some of them have lost the time of their change
    std::vector<deadline_entry> deadlines_;
    std::uint64_t opened_so_far_ = 0;
    std::size_t open_ = 0;
    std::size_t bytes_ = 0;
};

template <class Visitor>
std::size_t grouper::visit_unsaved(std::size_t limit, Visitor visit) {
    std::size_t shown = 0;
    for (; shown < limit && !unsaved_.empty(); ++shown) {
        record& r = unsaved_.front();
        visit(update_of(r));
        r.saved = r.messages.size();
        r.unlink();
    }
    return shown;
}

template <class Visitor>
void grouper::visit_open(Visitor visit) const {
    for (const auto& [key, r] : records_)
        if (r.count > 0 && !visit(key)) return;
}

}  // namespace postrider::event
