#pragma once

#include <cstdint>
#include <string_view>

namespace postrider::redis {

// How a cluster shares out its keys
// (https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/, "Key distribution model" and
// "Hash tags"): pure.

inline constexpr std::uint16_t cluster_slots = 16'384;

// CRC16/XMODEM: polynomial 0x1021, begins with 0.
std::uint16_t crc16(std::string_view bytes);

// What of a key decides its slot: what stands between its first '{' and the next '}', where that is not
// empty; otherwise the whole key.
std::string_view hashed_part(std::string_view key);

// From 0 to 16,383.
std::uint16_t slot_of(std::string_view key);

// What to write between '{' and '}' so that another name shares this key's slot; empty: no name can, because
// the key holds a '}' and no tag.
std::string_view hash_tag(std::string_view key);

}  // namespace postrider::redis
