// The bridge and what it could not deliver.
#include <algorithm>

#include "core/log_line.hpp"
#include "core/token.hpp"
#include "service/bridge.hpp"

namespace postrider::service {

using core::steady;

// From here on the letter stands in Redis for the push, under its token, until Postgres has it. Whoever leads
// next adopts it with that token, by which Postgres and a replay know it again: so both may write it, and
// neither has to know what the other did. What the push stood under goes in the same write, and a catch-up
// does not bring its events again.
void bridge::keep_letter(lane& l, event::dead_letter letter, std::uint64_t number) {
    letter.token = core::random_token();
    const auto saved_as = std::exchange(letter.saved_as, l.keys.letter(l.route.name, letter.token));
    auto& beside = saves(l);
    beside.save(letter.saved_as, event::save_letter({letter, number}), configuration_.context_ttl);
    // The next group of the key has the same name in Redis, and takes it over as it is first written.
    const bool taken_over = l.route.policy == event::policy::group &&
                            (l.groups.is_open(letter.key) || pusher_.holds(l.line, saved_as));
    if (!saved_as.empty() && !taken_over) beside.drop(saved_as, true);
    for (const auto& [time, id] : letter.seen)
        beside.note_seen(letter.seen_in, time, id);
    // Of a key only its letter says so, because its last push may have gone further meanwhile.
    if (number != 0 && l.route.policy != event::policy::group)
        beside.note_seen(l.keys.behind(l.route.name), static_cast<std::int64_t>(number),
                         std::to_string(number));
    pusher_.saves_changed(l.line);
    kept_letters_.insert(letter.saved_as);
    letters_(std::move(letter));
}

void bridge::letter_settled(const event::dead_letter& l) {
    kept_letters_.erase(l.saved_as);
    // While another leads, what stands in Redis is that one's, who has adopted this letter too.
    if (l.kind != event::dead_letter::origin::push || !restored_ || l.saved_as.empty()) return;
    const auto at = std::find_if(lanes_.begin(), lanes_.end(),
                                 [&](const lane& other) { return other.route.name == l.route; });
    if (at == lanes_.end()) return;
    saves(*at).drop(l.saved_as, true);
    pusher_.saves_changed(at->line);
}

// In the order in which they were refused. What this process has itself, because it led before, stays as it
// is.
bridge::refused_keys bridge::adopt_letters(const std::vector<std::pair<std::string, std::string>>& saved) {
    std::vector<event::saved_letter> all;
    for (const auto& [name, text] : saved)
        if (auto one = adopt_letter(name, text)) all.push_back(std::move(*one));
    std::stable_sort(all.begin(), all.end(),
                     [](const auto& a, const auto& b) { return a.letter.first < b.letter.first; });
    refused_keys refused;
    for (auto& [letter, number] : all) {
        const auto route = *find_route(letter.route);
        auto& l = lanes_[route];
        if (l.route.policy == event::policy::group) {
            l.known->know_key(letter.key, number);
            auto& last = refused[{route, letter.key}];
            last = std::max(last, number);
        } else if (number != 0) {
            l.known->know_one(number);
        }
        if (!kept_letters_.insert(letter.saved_as).second) continue;
        core::log_warning("{}: the letter of a push that was refused earlier is adopted: {}", letter.route,
                          letter.error);
        letters_(std::move(letter));
    }
    return refused;
}

std::optional<event::saved_letter> bridge::adopt_letter(const std::string& name, const std::string& text) {
    auto saved = event::parse_letter(text);
    if (!saved) {
        core::log_warning("redis: {} is no letter, left alone: {}", name, saved.error());
        return std::nullopt;
    }
    const auto route = find_route(saved->letter.route);
    const auto prefix = route ? lanes_[*route].keys.letter(saved->letter.route, "") : name;
    if (!route || !name.starts_with(prefix)) {
        core::log_warning("redis: {} belongs to the route '{}', which is not configured; left alone", name,
                          saved->letter.route);
        return std::nullopt;
    }
    auto& l = saved->letter;
    const auto of_route = lanes_[*route].letter();
    l.channel = of_route.channel;
    l.target = of_route.target;
    l.saved_as = name;
    l.token = name.substr(prefix.size());
    return std::move(*saved);
}

bool bridge::take_again(const event::dead_letter& l) {
    for (std::size_t i = 0; i < lanes_.size(); ++i) {
        if (lanes_[i].route.name != l.route) continue;
        take(i, l.payload, 0, steady::now());
        return true;
    }
    return false;
}

}  // namespace postrider::service
