#include "redis/destination.hpp"

#include <algorithm>
#include <array>

#include "core/contains.hpp"
#include "redis/slot.hpp"

namespace postrider::redis {
namespace {

using namespace std::string_view_literals;

constexpr std::array scripts{"EVAL"sv, "EVALSHA"sv, "EVAL_RO"sv, "EVALSHA_RO"sv, "FCALL"sv, "FCALL_RO"sv};
constexpr std::array everywhere{"SCRIPT"sv, "FUNCTION"sv, "KEYS"sv, "FLUSHALL"sv, "FLUSHDB"sv};
constexpr std::array keyless{"PING"sv,      "INFO"sv,    "ROLE"sv,   "TIME"sv, "CLIENT"sv, "CLUSTER"sv,
                             "CONFIG"sv,    "ACL"sv,     "DBSIZE"sv, "SCAN"sv, "WAIT"sv,   "ECHO"sv,
                             "RANDOMKEY"sv, "COMMAND"sv, "SELECT"sv, "AUTH"sv, "HELLO"sv};

}  // namespace

destination destination_of(std::span<const std::string_view> words) {
    using kind = destination::kind;
    if (!words.empty() && core::contains(everywhere, words[0])) return {kind::every};
    if (words.size() < 2 || core::contains(keyless, words[0])) return {kind::any};
    if (!core::contains(scripts, words[0])) return {kind::slot, slot_of(words[1])};
    if (words.size() < 4 || words[2] == "0") return {kind::any};
    return {kind::slot, slot_of(words[3])};
}

}  // namespace postrider::redis
