#include "event/grouper.hpp"

#include <algorithm>
#include <functional>
#include <iterator>
#include <queue>
#include <set>
#include <tuple>
#include <utility>

namespace postrider::event {

std::uint64_t grouper::add(std::string_view key, std::string_view id, std::string_view payload,
                           steady_time now, std::vector<group>& leaving, std::uint64_t number) {
    record& r = record_of(key);
    if (r.count > 0 && r.messages.size() + 1 + payload.size() > rules_.max_bytes) depart(r, now, leaving);
    if (r.count == 0) open(r, now);
    append(r, payload);
    append_id(r, id);
    r.last = now;
    r.number = std::max(r.number, number);
    ++r.count;
    need_saving(r, now);
    if (r.count >= rules_.max_events) depart(r, now, leaving);
    if (r.entries == 0) push_deadline(r);
    return r.order;
}

std::optional<context_update> grouper::find(std::string_view key) const {
    const auto found = records_.find(key);
    if (found == records_.end() || found->second.count == 0) return std::nullopt;
    return update_of(found->second);
}

std::optional<steady_time> grouper::next_deadline() const {
    if (deadlines_.empty()) return std::nullopt;
    return deadlines_.front().at;
}

void grouper::due(steady_time now, std::vector<group>& leaving) {
    std::vector<std::tuple<steady_time, steady_time, std::uint64_t, record*>> ready;
    while (!deadlines_.empty() && deadlines_.front().at <= now) {
        record& r = pop_deadline();
        const auto at = deadline(r);
        if (at > now) {
            push_deadline(r);
        } else if (r.count > 0) {
            ready.emplace_back(at, r.opened, r.order, &r);
        } else if (r.entries == 0) {
            forget(r);
        }
    }
    std::sort(ready.begin(), ready.end());
    // A record with two entries came up twice.
    ready.erase(std::unique(ready.begin(), ready.end()), ready.end());
    for (const auto& [at, opened, order, r] : ready) {
        depart(*r, now, leaving);
        if (r->entries > 0) continue;
        if (r->cooldown_until > now) {
            push_deadline(*r);
        } else {
            forget(*r);
        }
    }
}

std::vector<upcoming> grouper::next_due(std::size_t limit, std::size_t effort) const {
    // Walks down the heap from its top, always on from the earliest entry seen: these come in order, and the
    // rest of the heap is never looked at.
    const auto later = [this](std::size_t a, std::size_t b) { return deadlines_[a] > deadlines_[b]; };
    std::priority_queue<std::size_t, std::vector<std::size_t>, decltype(later)> frontier(later);
    // As due() orders them.
    std::set<std::tuple<steady_time, steady_time, std::uint64_t, const record*>> found;
    if (limit > 0 && !deadlines_.empty()) frontier.push(0);
    for (; effort > 0 && !frontier.empty(); --effort) {
        const auto at = frontier.top();
        // An entry may be too early for its group, never too late.
        if (found.size() >= limit && deadlines_[at].at > std::get<0>(*std::prev(found.end()))) break;
        frontier.pop();
        for (const auto child : {2 * at + 1, 2 * at + 2})
            if (child < deadlines_.size()) frontier.push(child);
        const record& r = *deadlines_[at].owner;
        if (r.count > 0) found.emplace(deadline(r), r.opened, r.order, &r);
        if (found.size() > limit) found.erase(std::prev(found.end()));
    }
    std::vector<upcoming> next;
    next.reserve(found.size());
    for (const auto& [due, opened, order, r] : found)
        next.push_back({*r->key, r->count, due});
    return next;
}

std::uint64_t grouper::adopt(group g) {
    if (g.count == 0) return 0;
    record& r = record_of(g.key);
    if (r.count > 0) {
        merge(r, g);
    } else {
        open(r, g.opened);
        r.last = g.last;
        r.number = g.number;
        r.count = g.count;
        r.messages = std::move(g.messages);
        for (const auto& id : g.ids)
            append_id(r, id);
        r.saved = r.messages.size();
        bytes_ += r.messages.size();
    }
    // The adopted times may lie before the entry that the record has, so it gets another.
    push_deadline(r);
    return r.order;
}

void grouper::take_all(std::vector<group>& leaving) {
    std::vector<record*> all;
    all.reserve(open_);
    for (auto& [key, r] : records_) {
        if (r.count > 0) all.push_back(&r);
    }
    std::sort(all.begin(), all.end(), [](const record* a, const record* b) {
        return std::tie(a->opened, a->order) < std::tie(b->opened, b->order);
    });
    for (record* r : all)
        leaving.push_back(take(*r));
    deadlines_.clear();
    records_.clear();
}

void grouper::mark_unsaved(std::string_view key) {
    const auto found = records_.find(key);
    if (found == records_.end() || found->second.count == 0) return;
    found->second.saved = 0;
    shown_again_ = true;
    need_saving(found->second, steady_time::min());
}

void grouper::mark_all_unsaved() {
    for (auto& [key, r] : records_) {
        if (r.count == 0) continue;
        r.saved = 0;
        shown_again_ = true;
        need_saving(r, steady_time::min());
    }
}

std::optional<steady_time> grouper::unsaved_since() const {
    if (unsaved_.empty()) return std::nullopt;
    return shown_again_ ? steady_time::min() : unsaved_.front().unsaved_since;
}

grouper::record& grouper::record_of(std::string_view key) {
    const auto found = records_.find(key);
    if (found != records_.end()) return found->second;
    const auto made = records_.try_emplace(std::string(key)).first;
    made->second.key = &made->first;
    return made->second;
}

steady_time grouper::deadline(const record& r) const {
    if (r.count == 0) return r.cooldown_until;
    const bool fixed = rules_.kind == window_kind::fixed;
    const auto window_end =
        fixed ? r.opened + rules_.window : std::min(r.last + rules_.window, r.opened + rules_.max_wait);
    return std::max<steady_time>(window_end, r.cooldown_until);
}

void grouper::open(record& r, steady_time opened) {
    r.opened = opened;
    r.order = ++opened_so_far_;
    ++open_;
}

void grouper::append(record& r, std::string_view payload) {
    const auto before = r.messages.size();
    const auto needed = before + payload.size() + (before > 0 ? 1 : 0);
    if (needed > r.messages.capacity()) {
        // A string that grows by itself doubles, which would cost a large group up to its own size again.
        const auto half_more = r.messages.capacity() + r.messages.capacity() / 2;
        std::string larger;
        larger.reserve(std::max(needed, std::min(half_more, rules_.max_bytes)));
        larger.append(r.messages);
        r.messages = std::move(larger);
    }
    if (before > 0) r.messages.push_back(',');
    r.messages.append(payload);
    bytes_ += needed - before;
}

void grouper::append_id(record& r, std::string_view id) {
    if (id.empty()) return;
    // Most groups are small, and the growth after the first id would double its room.
    if (r.ids.empty()) r.ids.reserve(id.size() + 1);
    r.ids.append(id).push_back(id_end);
}

group grouper::take(record& r) {
    group g{*r.key, std::exchange(r.messages, {}), {}, r.number, r.order, r.count, r.opened, r.last};
    std::string_view ids = r.ids;
    g.ids.reserve(ids.empty() ? 0 : r.count);
    while (!ids.empty()) {
        const auto end = ids.find(id_end);
        g.ids.emplace_back(ids.substr(0, end));
        ids.remove_prefix(end + 1);
    }
    r.ids = {};
    r.count = 0;
    r.saved = 0;
    r.unlink();
    --open_;
    bytes_ -= g.messages.size();
    return g;
}

void grouper::depart(record& r, steady_time now, std::vector<group>& leaving) {
    leaving.push_back(take(r));
    r.cooldown_until = now + rules_.cooldown;
}

void grouper::merge(record& r, group& g) {
    bytes_ += g.messages.size() + 1;
    g.messages.push_back(',');
    g.messages.append(r.messages);
    r.messages = std::move(g.messages);
    const std::string own_ids = std::exchange(r.ids, {});
    for (const auto& id : g.ids)
        append_id(r, id);
    r.ids.append(own_ids);
    r.count += g.count;
    r.opened = std::min(r.opened, g.opened);
    r.last = std::max(r.last, g.last);
    r.number = std::max(r.number, g.number);
    r.saved = 0;
    shown_again_ = true;
    need_saving(r, steady_time::min());
}

void grouper::need_saving(record& r, steady_time since) {
    if (r.is_linked()) return;
    if (unsaved_.empty()) shown_again_ = since == steady_time::min();
    r.unsaved_since = since;
    unsaved_.push_back(r);
}

void grouper::push_deadline(record& r) {
    deadlines_.push_back({deadline(r), &r});
    std::push_heap(deadlines_.begin(), deadlines_.end(), std::greater<>());
    ++r.entries;
}

grouper::record& grouper::pop_deadline() {
    std::pop_heap(deadlines_.begin(), deadlines_.end(), std::greater<>());
    record& r = *deadlines_.back().owner;
    deadlines_.pop_back();
    --r.entries;
    return r;
}

void grouper::forget(record& r) {
    records_.erase(records_.find(*r.key));
}

}  // namespace postrider::event
