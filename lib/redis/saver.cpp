#include "redis/saver.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "event/context.hpp"

namespace postrider::redis {
namespace {

// One call of the script must not hold Redis up for long.
constexpr std::size_t contexts_a_flush = 500;
constexpr std::size_t values_a_flush = 1'000;

// Moves up to `limit` entries.
template <class Map>
Map take_some(Map& from, std::size_t limit) {
    if (from.size() <= limit) return std::exchange(from, {});
    Map some;
    while (some.size() < limit)
        some.insert(from.extract(from.begin()));
    return some;
}

std::vector<std::string> take_some(std::vector<std::string>& from, std::size_t limit) {
    if (from.size() <= limit) return std::exchange(from, {});
    std::vector<std::string> some(std::make_move_iterator(from.end() - static_cast<std::ptrdiff_t>(limit)),
                                  std::make_move_iterator(from.end()));
    from.resize(from.size() - limit);
    return some;
}

}  // namespace

// The words of the script's call; see save.lua.
struct saver::call {
    std::vector<std::string> keys;
    std::vector<std::string> words;

    template <class... Words>
    void add(std::string key, Words&&... more) {
        keys.push_back(std::move(key));
        (words.emplace_back(std::forward<Words>(more)), ...);
    }
};

bool saver::work::empty() const {
    return places.empty() && values.empty() && erased.empty() && seen.empty() && trims.empty();
}

saver::saver(open_groups groups, std::vector<std::string> route_names, core::milliseconds context_ttl,
             target_keys keys)
    : groups_(std::move(groups)),
      route_names_(std::move(route_names)),
      context_ttl_(std::to_string(context_ttl.count())),
      keys_(std::move(keys)) {}

void saver::save(std::string name, std::string text, core::milliseconds ttl) {
    waiting_.values.insert_or_assign(std::move(name), value{std::move(text), ttl});
}

void saver::drop(const std::string& name, bool erase) {
    waiting_.values.erase(name);
    flush_.taken.values.erase(name);
    if (erase) waiting_.erased.push_back(name);
}

void saver::note_seen(std::string set, std::int64_t ms, std::string id) {
    waiting_.seen[std::move(set)].emplace_back(ms, std::move(id));
}

void saver::trim_seen(std::string set, std::int64_t before) {
    waiting_.trims[std::move(set)] = before;
}

void saver::note_place(const place& p, std::optional<std::uint64_t> number) {
    auto& noted = waiting_.places[p.route];
    noted.marker = p.marker;
    noted.base = p.base;
    if (!p.markers.empty()) noted.markers = p.markers;
    if (number) noted.number = number;
}

void saver::clear() {
    waiting_ = {};
    flush_ = {};
}

bool saver::has_work() const {
    return !waiting_.empty() || groups_.any_changed();
}

// The ids go in one piece and last: a cut in between leaves a group that is adopted, not an id without it.
// What is deleted goes behind the values, among which may be the letter that stands for it from now on.
saver::work saver::take_part() {
    work part;
    part.places = std::exchange(waiting_.places, {});
    part.values = take_some(waiting_.values, values_a_flush);
    if (waiting_.values.empty()) part.erased = take_some(waiting_.erased, values_a_flush);
    part.trims = std::exchange(waiting_.trims, {});
    if (waiting_.values.empty()) part.seen = std::exchange(waiting_.seen, {});
    return part;
}

void saver::encode(pipeline& p, std::string_view script_sha, std::uint64_t epoch,
                   core::steady::time_point now, core::wall::time_point wall_now) {
    if (!has_work()) return;
    flush_ = flush{};
    flush_.under_way = true;
    flush_.taken = take_part();
    call c;
    c.add(keys_.epoch(), std::to_string(epoch), context_ttl_);
    encode_places(c);
    // What is deleted goes before the contexts: one that was left behind may have the name of a group that is
    // open now.
    for (const auto& name : flush_.taken.erased)
        c.add(name, "delete");
    if (waiting_.erased.empty()) encode_contexts(c, now, wall_now);
    encode_rest(c);
    if (waiting_.empty()) flush_.until = std::min(now, groups_.unsaved_since().value_or(now));

    const auto number = std::to_string(c.keys.size());
    std::vector<std::string_view> words{"EVALSHA", script_sha, number};
    words.insert(words.end(), c.keys.begin(), c.keys.end());
    words.insert(words.end(), c.words.begin(), c.words.end());
    p.add(words);
}

void saver::encode_places(call& c) const {
    for (const auto& [route, p] : flush_.taken.places) {
        c.add(keys_.place(route), "place", p.marker, std::to_string(p.base),
              p.number ? std::to_string(*p.number) : std::string(), p.markers);
        c.add(keys_.behind(route));
    }
}

void saver::encode_contexts(call& c, core::steady::time_point now, core::wall::time_point wall_now) {
    flush_.first_context = c.keys.size() + 1;
    groups_.changed(contexts_a_flush, [&](std::size_t route, const event::context_update& u) {
        flush_.contexts.emplace_back(route, u.key);
        c.add(keys_.context(route_names_[route], u.key), "context", std::to_string(u.saved),
              event::context_head(route_names_[route], u.count, core::to_wall(u.opened, now, wall_now),
                                  core::to_wall(u.last, now, wall_now), u.number),
              std::string(u.messages.substr(u.saved)).append(event::context_tail));
    });
}

void saver::encode_rest(call& c) const {
    for (const auto& [name, v] : flush_.taken.values)
        c.add(name, "set", v.text, std::to_string(v.ttl.count()));
    for (const auto& [set, ids] : flush_.taken.seen) {
        c.add(set, "add", std::to_string(ids.size()));
        for (const auto& [ms, id] : ids) {
            c.words.push_back(std::to_string(ms));
            c.words.push_back(id);
        }
    }
    for (const auto& [set, before] : flush_.taken.trims)
        c.add(set, "trim", std::to_string(before));
}

std::string saver::replied(const reply& r) {
    if (r.is_error()) {
        failed();
        return r.text;
    }
    for (const auto& position : r.items) {
        const auto& [route, key] =
            flush_.contexts.at(static_cast<std::size_t>(position.integer) - flush_.first_context);
        groups_.not_saved(route, key);
    }
    // What does not stand there as expected is written again.
    if (flush_.until && r.items.empty()) saved_until_ = std::max(saved_until_, *flush_.until);
    flush_ = flush{};
    return {};
}

void saver::failed() {
    auto f = std::exchange(flush_, {});
    for (const auto& [route, key] : f.contexts)
        groups_.not_saved(route, key);
    // What came meanwhile is newer and stays.
    waiting_.values.merge(f.taken.values);
    waiting_.erased.insert(waiting_.erased.end(), f.taken.erased.begin(), f.taken.erased.end());
    for (auto& [set, ids] : f.taken.seen) {
        auto& now = waiting_.seen[set];
        now.insert(now.end(), std::make_move_iterator(ids.begin()), std::make_move_iterator(ids.end()));
    }
    waiting_.trims.merge(f.taken.trims);
    for (auto& [route, p] : f.taken.places) {
        const auto [newer, was_absent] = waiting_.places.try_emplace(route, p);
        if (was_absent) continue;
        if (!newer->second.number) newer->second.number = p.number;
        if (newer->second.markers.empty()) newer->second.markers = p.markers;
    }
}

core::steady::time_point saver::saved_until(core::steady::time_point now) const {
    return !flush_.under_way && !has_work() ? now : saved_until_;
}

}  // namespace postrider::redis
