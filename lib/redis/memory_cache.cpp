#include "redis/memory_cache.hpp"

#include "redis/glob.hpp"

namespace postrider::redis {
namespace {

// About what the containers need for an entry.
constexpr std::size_t overhead = 256;

}  // namespace

std::size_t memory_cache::size_of(const entry& e) const {
    return overhead + e.key->size() + (e.value ? e.value->size() : 0);
}

memory_cache::entry& memory_cache::entry_of(const std::string& key) {
    const auto [at, is_new] = all_.try_emplace(key);
    auto& e = at->second;
    if (is_new) {
        e.key = &at->first;
        e.place = gone_.insert(gone_.begin(), &e);
        bytes_ += size_of(e);
    }
    return e;
}

// It has changed, and Redis does not know.
void memory_cache::renew(entry& e, std::uint64_t number) {
    if (e.changed) changed_.erase(e.number);
    e.number = number;
    e.changed = true;
    changed_.emplace(number, &e);
}

// From a value to the knowledge that there is none.
void memory_cache::empty(entry& e) {
    if (!e.value) return;
    bytes_ -= e.value->size();
    e.value.reset();
    if (e.expires) expiring_.erase({*e.expires, &e});
    e.expires.reset();
    gone_.splice(gone_.begin(), used_, e.place);
}

void memory_cache::remove(entry& e) {
    empty(e);
    if (e.changed) changed_.erase(e.number);
    bytes_ -= size_of(e);
    gone_.erase(e.place);
    all_.erase(std::string(*e.key));
}

void memory_cache::set(const std::string& key, std::string value, std::optional<time> expires,
                       std::uint64_t number, time now) {
    auto& e = entry_of(key);
    if (e.number > number) return;
    empty(e);
    renew(e, number);
    if (size_of(e) + value.size() > most_bytes_) {
        ++evictions_;
        return;
    }
    bytes_ += value.size();
    e.value = std::move(value);
    used_.splice(used_.begin(), gone_, e.place);
    e.expires = expires;
    if (expires) expiring_.emplace(*expires, &e);
    sweep(now, 2);
    evict();
}

bool memory_cache::erase(const std::string& key, std::uint64_t number, time now) {
    auto& e = entry_of(key);
    if (e.number > number) return false;
    const bool was_there = e.value && !is_over(e, now);
    empty(e);
    renew(e, number);
    evict();
    return was_there;
}

// What is known to be none may fill half of the bytes, or it would drive the values out.
void memory_cache::evict() {
    while (used_.size() > most_)
        evict_one();
    while (gone_.size() > most_)
        remove(*gone_.back());
    while (bytes_ > most_bytes_) {
        const bool gone_too_large = gone_.size() * overhead > most_bytes_ / 2;
        if (!gone_.empty() && (gone_too_large || used_.size() <= 1))
            remove(*gone_.back());
        else if (used_.size() > 1)
            evict_one();
        else
            break;
    }
}

// What Redis has goes altogether; of anything else it must be told that it is gone.
void memory_cache::evict_one() {
    auto& oldest = *used_.back();
    ++evictions_;
    empty(oldest);
    if (oldest.changed)
        renew(oldest, next());
    else
        remove(oldest);
}

std::optional<std::string> memory_cache::get(const std::string& key, time now) {
    const auto at = all_.find(key);
    if (at == all_.end() || !at->second.value || is_over(at->second, now)) return std::nullopt;
    used_.splice(used_.begin(), used_, at->second.place);
    return at->second.value;
}

std::vector<std::string> memory_cache::keys(std::string_view pattern, std::size_t limit, time now) const {
    std::vector<std::string> found;
    for (const auto* e : used_) {
        if (found.size() == limit) break;
        if (!is_over(*e, now) && matches_glob(pattern, *e->key)) found.push_back(*e->key);
    }
    return found;
}

// Redis has the value with its own time to live, or an older one: it is told that there is none.
std::size_t memory_cache::sweep(time now, std::size_t limit) {
    std::size_t freed = 0;
    while (freed < limit && !expiring_.empty() && expiring_.begin()->first <= now) {
        auto& e = *expiring_.begin()->second;
        empty(e);
        renew(e, next());
        ++freed;
    }
    return freed;
}

std::vector<memory_cache::change> memory_cache::changes(std::size_t limit, std::size_t bytes, time now) {
    std::vector<change> some;
    std::size_t size = 0;
    for (const auto& [number, e] : changed_) {
        if (some.size() == limit || (size >= bytes && !some.empty())) break;
        size += size_of(*e);
        auto& c = some.emplace_back();
        c.key = *e->key;
        c.number = number;
        if (!e->value || is_over(*e, now)) continue;
        c.value = e->value;
        if (e->expires) c.time_to_live = std::chrono::ceil<core::milliseconds>(*e->expires - now);
    }
    return some;
}

void memory_cache::settled(const std::string& key, std::uint64_t number) {
    const auto at = all_.find(key);
    if (at == all_.end() || at->second.number != number || !at->second.changed) return;
    auto& e = at->second;
    changed_.erase(number);
    e.changed = false;
    if (!e.value) remove(e);
}

void memory_cache::clear() {
    changed_.clear();
    expiring_.clear();
    used_.clear();
    gone_.clear();
    all_.clear();
    bytes_ = 0;
}

}  // namespace postrider::redis
