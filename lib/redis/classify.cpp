#include "redis/classify.hpp"

#include <algorithm>
#include <array>

#include "core/contains.hpp"

namespace postrider::redis {
namespace {

using namespace std::string_view_literals;

// MISCONF (the disk is full) and NOREPLICAS pass when the server is mended; nothing is wrong with the
// command.
constexpr std::array passing{"LOADING"sv, "READONLY"sv, "TRYAGAIN"sv, "CLUSTERDOWN"sv, "MASTERDOWN"sv,
                             "BUSY"sv,    "OOM"sv,      "MISCONF"sv,  "NOREPLICAS"sv,  "UNBLOCKED"sv};
constexpr std::array demoted{"READONLY"sv, "MASTERDOWN"sv, "UNBLOCKED"sv};

std::string_view first_word(std::string_view text) {
    return text.substr(0, text.find(' '));
}

}  // namespace

std::string_view code_of(const reply& r) {
    if (!r.is_error()) return {};
    const std::string_view text = r.text;
    if (text.starts_with("ERR Error running script")) {
        constexpr auto inner_starts = ": -"sv;
        if (const auto at = text.find(inner_starts); at != std::string_view::npos)
            return first_word(text.substr(at + inner_starts.size()));
    }
    return first_word(text);
}

verdict classify(const reply& r) {
    if (!r.is_error()) return verdict::delivered;
    const std::string_view code = code_of(r);
    if (core::contains(passing, code)) return verdict::retry;
    if (code == "MOVED" || code == "ASK") return verdict::reroute;
    if (code == "NOSCRIPT") return verdict::reload;
    if (code == "STALE") return verdict::stale;
    // This one has no code of its own; it passes when other clients leave.
    if (r.text.starts_with("ERR max number of clients")) return verdict::retry;
    return verdict::permanent;
}

bool wants_reconnect(const reply& r) {
    return core::contains(demoted, code_of(r));
}

}  // namespace postrider::redis
