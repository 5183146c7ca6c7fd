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

// What a script meets within it has no code of its own in these cases, from Redis 5 ("Lua script attempted
// …") to 8; a command alone would have got this one.
struct wording {
    std::string_view words;
    std::string_view code;
};
constexpr std::array of_scripts{
    wording{"cript attempted to execute a write command while the cluster is down and readonly",
            "CLUSTERDOWN"},
    wording{"cript attempted to execute a command while the cluster is down", "CLUSTERDOWN"},
    wording{"cript attempted to access a slot not served", "CLUSTERDOWN"},
    // A key that the script has deleted is looked for where its slot moves to.
    wording{"cript attempted to access a non local key in a cluster node", "TRYAGAIN"},
    wording{"in script because undeclared keys were accessed during rehashing of the slot", "TRYAGAIN"},
};

// These have no code at all: other clients leave, and whoever has ended a script has not ended all that
// follow.
constexpr std::array passing_words{"ERR max number of clients"sv, "Script killed by user with SCRIPT KILL"sv};

bool says(std::string_view text, std::string_view words) {
    return text.starts_with("ERR ") && text.find(words) != std::string_view::npos;
}

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
    for (const auto& w : of_scripts)
        if (says(text, w.words)) return w.code;
    return first_word(text);
}

verdict classify(const reply& r) {
    if (!r.is_error()) return verdict::delivered;
    const std::string_view code = code_of(r);
    if (core::contains(passing, code)) return verdict::retry;
    if (code == "MOVED" || code == "ASK") return verdict::reroute;
    if (code == "NOSCRIPT") return verdict::reload;
    if (code == "STALE") return verdict::stale;
    const bool passes = std::any_of(passing_words.begin(), passing_words.end(),
                                    [&](std::string_view words) { return says(r.text, words); });
    return passes ? verdict::retry : verdict::permanent;
}

bool wants_reconnect(const reply& r) {
    return core::contains(demoted, code_of(r));
}

}  // namespace postrider::redis
