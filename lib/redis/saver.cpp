#include "redis/saver.hpp"

#include <utility>

#include "event/context.hpp"
#include "redis/names.hpp"

namespace postrider::redis {
namespace {

constexpr std::size_t contexts_a_flush = 500;

}  // namespace

saver::saver(open_groups groups, std::vector<std::string> route_names, core::milliseconds context_ttl)
    : groups_(std::move(groups)),
      route_names_(std::move(route_names)),
      context_ttl_(std::to_string(context_ttl.count())) {}

void saver::save(std::string name, std::string text, core::milliseconds ttl) {
    values_.insert_or_assign(std::move(name), value{std::move(text), ttl});
}

void saver::drop(const std::string& name, bool erase) {
    values_.erase(name);
    flush_.values.erase(name);
    if (erase) erased_.push_back(name);
}

void saver::note_seen(std::string set, std::int64_t ms, std::string id) {
    seen_[std::move(set)].emplace_back(ms, std::move(id));
}

void saver::trim_seen(std::string set, std::int64_t before) {
    trims_[std::move(set)] = before;
}

bool saver::has_work() const {
    return !values_.empty() || !erased_.empty() || !seen_.empty() || !trims_.empty() || groups_.any_changed();
}

void saver::encode(pipeline& p, std::string_view script_sha, core::steady::time_point now,
                   core::wall::time_point wall_now) {
    const auto before = p.size();
    flush_ = flush{};
    flush_.at = now;
    encode_contexts(p, script_sha, now, wall_now);
    encode_values(p);
    // The ids follow the contexts: a cut in between leaves a group that is adopted, and not an id without it.
    encode_seen(p);
    flush_.everything = !groups_.any_changed();
    flush_.commands = p.size() - before;
}

void saver::encode_contexts(pipeline& p, std::string_view script_sha, core::steady::time_point now,
                            core::wall::time_point wall_now) {
    std::vector<std::string> names;
    std::vector<std::string> texts{context_ttl_};
    groups_.changed(contexts_a_flush, [&](std::size_t route, const event::context_update& u) {
        flush_.contexts.emplace_back(route, u.key);
        names.push_back(context_name(route_names_[route], u.key));
        texts.push_back(std::to_string(u.saved));
        texts.push_back(event::context_head(route_names_[route], u.count,
                                            core::to_wall(u.opened, now, wall_now),
                                            core::to_wall(u.last, now, wall_now)));
        texts.push_back(std::string(u.messages.substr(u.saved)).append(event::context_tail));
    });
    if (names.empty()) return;
    flush_.has_contexts = true;
    const auto number = std::to_string(names.size());
    std::vector<std::string_view> words{"EVALSHA", script_sha, number};
    words.insert(words.end(), names.begin(), names.end());
    words.insert(words.end(), texts.begin(), texts.end());
    p.add(words);
}

void saver::encode_values(pipeline& p) {
    flush_.values = std::exchange(values_, {});
    flush_.erased = std::exchange(erased_, {});
    for (const auto& [name, v] : flush_.values) {
        const auto ttl = std::to_string(v.ttl.count());
        if (v.ttl.count() == 0)
            p.add({"SET", name, v.text});
        else
            p.add({"SET", name, v.text, "PX", ttl});
    }
    for (const auto& name : flush_.erased)
        p.add({"UNLINK", name});
}

void saver::encode_seen(pipeline& p) {
    flush_.seen = std::exchange(seen_, {});
    flush_.trims = std::exchange(trims_, {});
    for (const auto& [set, ids] : flush_.seen)
        for (const auto& [ms, id] : ids)
            p.add({"ZADD", set, std::to_string(ms), id});
    for (const auto& [set, before] : flush_.trims)
        p.add({"ZREMRANGEBYSCORE", set, "-inf", std::string("(").append(std::to_string(before))});
}

std::string saver::replied(std::span<const reply> replies) {
    std::string error;
    for (const auto& r : replies)
        if (r.is_error() && error.empty()) error = r.text;
    if (!error.empty()) {
        failed();
        return error;
    }
    if (flush_.has_contexts)
        for (const auto& position : replies.front().items) {
            const auto& [route, key] = flush_.contexts.at(static_cast<std::size_t>(position.integer - 1));
            groups_.not_saved(route, key);
        }
    if (flush_.everything) saved_until_ = flush_.at;
    flush_ = flush{};
    return {};
}

void saver::failed() {
    auto f = std::exchange(flush_, {});
    for (const auto& [route, key] : f.contexts)
        groups_.not_saved(route, key);
    // What came meanwhile is newer and stays.
    values_.merge(f.values);
    erased_.insert(erased_.end(), f.erased.begin(), f.erased.end());
    for (auto& [set, ids] : f.seen) {
        auto& now = seen_[set];
        now.insert(now.end(), std::make_move_iterator(ids.begin()), std::make_move_iterator(ids.end()));
    }
    trims_.merge(f.trims);
}

core::steady::time_point saver::saved_until(core::steady::time_point now) const {
    return flush_.commands == 0 && !has_work() ? now : saved_until_;
}

}  // namespace postrider::redis
