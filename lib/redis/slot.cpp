#include "redis/slot.hpp"

#include <array>
#include <cstddef>

namespace postrider::redis {
namespace {

constexpr std::array<std::uint16_t, 256> make_table() {
    std::array<std::uint16_t, 256> table{};
    for (unsigned byte = 0; byte < 256; ++byte) {
        unsigned value = byte << 8U;
        for (int bit = 0; bit < 8; ++bit)
            value = (value & 0x8000U) != 0 ? (value << 1U) ^ 0x1021U : value << 1U;
        table[byte] = static_cast<std::uint16_t>(value & 0xFFFFU);
    }
    return table;
}

constexpr auto table = make_table();

}  // namespace

std::uint16_t crc16(std::string_view bytes) {
    unsigned value = 0;
    for (const char c : bytes)
        value = ((value << 8U) & 0xFFFFU) ^ table[(value >> 8U) ^ static_cast<unsigned char>(c)];
    return static_cast<std::uint16_t>(value);
}

std::string_view hashed_part(std::string_view key) {
    const auto open = key.find('{');
    if (open == std::string_view::npos) return key;
    const auto close = key.find('}', open + 1);
    if (close == std::string_view::npos || close == open + 1) return key;
    return key.substr(open + 1, close - open - 1);
}

std::uint16_t slot_of(std::string_view key) {
    return crc16(hashed_part(key)) % cluster_slots;
}

std::string_view hash_tag(std::string_view key) {
    const auto part = hashed_part(key);
    return part.find('}') == std::string_view::npos ? part : std::string_view();
}

}  // namespace postrider::redis
