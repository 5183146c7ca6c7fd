#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace postrider::event {

using std::chrono::milliseconds;

// What becomes of an event: it joins a group, it waits, or it leaves at once.
enum class policy { group, delay, immediate };

enum class window_kind {
    fixed,    // counts from the group's first event
    sliding,  // each event restarts it, up to max_wait from the first
};

enum class distribution { uniform, triangular };

enum class target_kind { list, stream, pubsub };

// Their names, in the file, in the table of dead letters and for the scripts.
inline constexpr std::array<std::string_view, 3> target_kinds{"list", "stream", "pubsub"};
constexpr std::string_view name(target_kind kind) {
    return target_kinds.at(static_cast<std::size_t>(kind));
}

struct target {
    target_kind kind = target_kind::list;
    std::string name;
    std::uint64_t max_length = 0;  // streams: about this many entries are kept; 0 keeps all
};

struct grouping {
    window_kind kind = window_kind::fixed;
    milliseconds window{15'000};
    milliseconds max_wait{60'000};  // sliding windows: counted from the group's first event
    milliseconds cooldown{5'000};   // a key's next group leaves no sooner after the last one
    std::size_t max_events = 1'000;
    std::size_t max_bytes = 1 << 20;  // of the messages, without the frame around them
};

struct delaying {
    milliseconds min{0};
    milliseconds max{0};
    distribution spread = distribution::uniform;  // triangular: its mode lies in the middle
    double probability = 1.0;                     // within [0, 1]; the other events are skipped
    std::string cancel_on;                        // channel whose event of the same key cancels; empty: none
    std::string cancel_key;                       // JSON pointer to that key in the cancelling event
};

// A value copied into what is pushed: {name: payload[pointer]}.
struct field {
    std::string name;
    std::string pointer;  // JSON pointer (RFC 6901) into the event; for a group, into its first event
};

struct route {
    std::string name;
    std::string channel;
    event::policy policy = event::policy::group;
    std::string key;   // JSON pointer to a string, number or UUID
    std::string id;    // JSON pointer to what makes an event unique; empty: none
    std::string time;  // JSON pointer to the event's time; empty: the time of arrival
    event::grouping grouping;
    event::delaying delaying;
    event::target target;
    std::string type;                  // the "type" of what is pushed: "grouped", "initiation", …
    std::vector<field> fields;         // copied into what is pushed, in this order
    std::vector<field> stream_fields;  // beside "data" in a stream's entry, in this order
    // Delays between two people of whom one may be a bot: pointers to both; empty: not that kind of event.
    std::vector<std::string> participants;
    std::vector<std::string> bot_ids;  // with participants: an event without one of these is skipped
    std::string catch_up;              // SQL run on every (re)connect, $1 = timestamptz; empty: none
    milliseconds overlap{60'000};      // how far before the newest event time the catch-up reaches back
    std::size_t max_payload_bytes = 1 << 20;
};

}  // namespace postrider::event
