#include "event/payload.hpp"

#include <algorithm>
#include <utility>

#include "event/json_check.hpp"
#include "event/json_text.hpp"
#include "event/time.hpp"

namespace postrider::event {

namespace {

constexpr std::size_t max_key_bytes = 512;

// Keys become part of Redis key names and log lines.
bool is_plain(std::string_view text) {
    return std::none_of(text.begin(), text.end(), [](char c) { return (c >= 0 && c < 0x20) || c == 0x7F; });
}

// The string or number under a pointer, as a name for an event or a conversation.
boost::system::result<std::string, rejection> read_name(std::string_view payload, std::string_view pointer,
                                                        rejection absent, rejection unfit) {
    const auto value = find_json(payload, pointer);
    if (!value) return absent;
    std::string text;
    if (is_json_string(*value)) {
        text = unquote_json(*value);
    } else if (is_json_number(*value)) {
        text = *value;
    }
    if (text.empty() || text.size() > max_key_bytes || !is_plain(text)) return unfit;
    return text;
}

// A missing or null time is the time of arrival; one that cannot be read is an error.
boost::system::result<std::optional<wall_time>, rejection> read_time(std::string_view payload,
                                                                     std::string_view pointer) {
    const auto value = find_json(payload, pointer);
    if (!value || *value == "null") return std::optional<wall_time>();
    if (!is_json_string(*value)) return rejection::bad_time;
    const auto time = parse_time(unquote_json(*value));
    if (!time) return rejection::bad_time;
    return time;
}

}  // namespace

struct payload_reader::implementation {
    json_check check;

    std::optional<rejection> fault(std::string_view payload, std::size_t max_bytes) {
        if (payload.size() > max_bytes) return rejection::too_large;
        if (!check.valid(payload)) return rejection::not_json;
        return std::nullopt;
    }
};

payload_reader::payload_reader() : impl_(std::make_unique<implementation>()) {}
payload_reader::~payload_reader() = default;
payload_reader::payload_reader(payload_reader&&) noexcept = default;
payload_reader& payload_reader::operator=(payload_reader&&) noexcept = default;

boost::system::result<envelope, rejection> payload_reader::read(const route& r, std::string_view payload) {
    if (const auto fault = impl_->fault(payload, r.max_payload_bytes)) return *fault;
    envelope e;
    // What leaves at once needs no key.
    if (!r.key.empty() || r.policy != policy::immediate) {
        auto key = read_name(payload, r.key, rejection::no_key, rejection::key_type);
        if (!key) return key.error();
        e.key = std::move(*key);
    }
    if (!r.id.empty()) {
        auto id = read_name(payload, r.id, rejection::no_id, rejection::no_id);
        if (!id) return id.error();
        e.id = std::move(*id);
    }
    if (!r.time.empty()) {
        const auto time = read_time(payload, r.time);
        if (!time) return time.error();
        e.time = *time;
    }
    return e;
}

boost::system::result<std::string, rejection> payload_reader::read_key(std::string_view pointer,
                                                                       std::string_view payload,
                                                                       std::size_t max_bytes) {
    if (const auto fault = impl_->fault(payload, max_bytes)) return *fault;
    return read_name(payload, pointer, rejection::no_key, rejection::key_type);
}

std::string payload_reader::raw_value(std::string_view payload, std::string_view pointer) {
    return std::string(find_json(payload, pointer).value_or("null"));
}

std::string_view name(rejection reason) {
    switch (reason) {
        case rejection::too_large:
            return "too_large";
        case rejection::not_json:
            return "not_json";
        case rejection::no_key:
            return "no_key";
        case rejection::key_type:
            return "key_type";
        case rejection::no_id:
            return "no_id";
        case rejection::bad_time:
            return "bad_time";
    }
    return "unknown";
}

std::string explain(rejection reason, const route& r) {
    const std::string at = "route " + r.name + ", channel " + r.channel + ": ";
    switch (reason) {
        case rejection::too_large:
            return at + "the payload is larger than max_payload_bytes, " +
                   std::to_string(r.max_payload_bytes) + "; send less, or raise max_payload_bytes";
        case rejection::not_json:
            return at +
                   "the payload is not one JSON value in UTF-8; build it in SQL with "
                   "json_build_object(...)::text";
        case rejection::no_key:
            return at + "the payload has no key at " + r.key +
                   "; send it, or point the route's key at the right member";
        case rejection::key_type:
            return at + "the key at " + r.key +
                   " must be a number, or a string of 1 to 512 bytes without control characters; send it as "
                   "one";
        case rejection::no_id:
            return at + "the payload has no usable id at " + r.id +
                   " (a number, or a string of 1 to 512 bytes); send one, or leave the route's id out";
        case rejection::bad_time:
            return at + "the time at " + r.time +
                   " is not an ISO 8601 date and time such as 2026-11-21T03:02:11.123456+00:00; send it so";
    }
    return at + "the payload was turned away";
}

}  // namespace postrider::event
