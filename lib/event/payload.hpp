#pragma once

#include <boost/system/result.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "event/route.hpp"

namespace postrider::event {

using wall_time = std::chrono::system_clock::time_point;

// Why an event was turned away; each has a counter and a word of its own.
enum class rejection { too_large, not_json, no_key, key_type, no_id, bad_time };

// The counter's label: "too_large", "not_json" …
std::string_view name(rejection reason);
// The sentence for the log: what is wrong with the payload and how to mend it, for this route.
std::string explain(rejection reason, const route& r);

// What the pipeline must know of an event; its payload stays as it came.
struct envelope {
    std::string key;
    std::string id;  // empty where the route has no id
    std::optional<wall_time>
        time;  // where the route has a time pointer and the event a time that is not null
};

// Reads envelopes. It keeps simdjson's parser and its padded buffer from call to call, so it is not shared.
class payload_reader {
 public:
    payload_reader();
    ~payload_reader();
    payload_reader(payload_reader&&) noexcept;
    payload_reader& operator=(payload_reader&&) noexcept;

    // Validates the whole payload as JSON (RFC 8259, one value, UTF-8) and reads the route's pointers.
    // Keys and ids: strings as they are (unescaped), integers and other numbers as they are written; 1 to 512
    // bytes without control characters. Anything else: no_key, key_type, or for every fault of an id no_id.
    // An immediate route may do without a key, which is then empty.
    boost::system::result<envelope, rejection> read(const route& r, std::string_view payload);

    // The same, with the key under another pointer: for the events that cancel a delay.
    boost::system::result<std::string, rejection> read_key(std::string_view pointer, std::string_view payload,
                                                           std::size_t max_bytes);

    // The raw JSON of the value under a pointer, byte for byte as in the payload ("null" where there is
    // none). The payload is one that read() accepted; it is not validated again.
    std::string raw_value(std::string_view payload, std::string_view pointer);

 private:
    struct implementation;
    std::unique_ptr<implementation> impl_;
};

}  // namespace postrider::event
