#include "redis/cache.hpp"

#include <set>

#include "core/duration.hpp"
#include "core/log_line.hpp"
#include "redis/classify.hpp"
#include "redis/server_info.hpp"

namespace postrider::redis {
namespace {

using core::steady;

constexpr std::size_t changes_a_round = 200;
constexpr std::size_t bytes_a_round = 1 << 20;
constexpr std::size_t swept_a_step = 500;
constexpr std::size_t most_scans = 1'000;

bool is_refusal(const reply& r) {
    return classify(r) == verdict::permanent;
}

}  // namespace

cache::cache(const asio::any_io_executor& executor, client& redis, cache_settings s)
    : redis_(redis),
      settings_(s),
      memory_(s.entries, s.bytes),
      backoff_(core::milliseconds(100), s.backoff_cap, 1),
      wake_(executor) {}

// Redis' answer to one command; empty: it is not there, or cannot now, and the memory has taken over.
asio::awaitable<std::optional<reply>> cache::ask(pipeline one) {
    if (closed_ || mode_ == mode::memory) co_return std::nullopt;
    auto answered = co_await redis_.execute(std::move(one));
    if (!answered) {
        fall_back(answered.error().message);
        co_return std::nullopt;
    }
    auto& r = answered->front();
    const auto meaning = classify(r);
    if (meaning == verdict::delivered) co_return std::move(r);
    if (meaning != verdict::permanent) {
        fall_back(r.text);
        co_return std::nullopt;
    }
    if (refused_++ == 0) core::log_warning("cache: Redis refuses a command for good: {}", r.text);
    co_return std::move(r);
}

std::optional<std::string> cache::get_from_memory(const std::string& key) {
    auto found = memory_.get(key, steady::now());
    ++(found ? in_memory_.hits : in_memory_.misses);
    return found;
}

asio::awaitable<std::optional<std::string>> cache::get(std::string key) {
    pipeline p;
    p.add({"GET", key});
    auto answered = co_await ask(std::move(p));
    if (!answered) co_return get_from_memory(key);
    const bool hit = answered->type == reply::kind::string;
    ++(hit ? in_redis_.hits : in_redis_.misses);
    if (!hit) co_return std::nullopt;
    co_return std::move(answered->text);
}

asio::awaitable<void> cache::set(std::string key, std::string value) {
    return write(std::move(key), std::move(value), std::nullopt);
}

asio::awaitable<void> cache::setex(std::string key, core::milliseconds time_to_live, std::string value) {
    return write(std::move(key), std::move(value), std::max(time_to_live, core::milliseconds(1)));
}

// The number is taken before Redis is asked: when that fails for several at once, the last writer wins, in
// whichever order they learn of it.
asio::awaitable<void> cache::write(std::string key, std::string value,
                                   std::optional<core::milliseconds> ttl) {
    const auto number = memory_.next();
    const auto now = steady::now();
    pipeline p;
    if (ttl)
        p.add({"SET", key, value, "PX", std::to_string(ttl->count())});
    else
        p.add({"SET", key, value});
    const auto answered = co_await ask(std::move(p));
    if (answered || closed_) co_return;
    std::optional<steady::time_point> expires;
    if (ttl) expires = now + *ttl;
    memory_.set(key, std::move(value), expires, number, steady::now());
}

asio::awaitable<bool> cache::del(std::string key) {
    const auto number = memory_.next();
    pipeline p;
    p.add({"UNLINK", key});
    const auto answered = co_await ask(std::move(p));
    if (answered) co_return answered->integer > 0;
    co_return !closed_ && memory_.erase(key, number, steady::now());
}

asio::awaitable<std::vector<std::string>> cache::keys(std::string pattern, std::size_t limit) {
    auto text = pattern;
    auto found = co_await scan(std::move(text), limit);
    if (found) co_return std::move(*found);
    co_return memory_.keys(pattern, limit, steady::now());
}

asio::awaitable<std::optional<std::vector<std::string>>> cache::scan(std::string pattern, std::size_t limit) {
    std::set<std::string> found;  // SCAN may return a key twice
    std::string cursor = "0";
    for (std::size_t i = 0; i < most_scans && found.size() < limit; ++i) {
        pipeline p;
        p.add({"SCAN", cursor, "MATCH", pattern, "COUNT", "1000"});
        const auto answered = co_await ask(std::move(p));
        if (!answered) co_return std::nullopt;
        if (answered->items.size() != 2) break;
        for (const auto& key : answered->items[1].items)
            if (found.size() < limit) found.insert(key.text);
        cursor = answered->items[0].text;
        if (cursor == "0") break;
    }
    std::vector<std::string> all(found.begin(), found.end());
    co_return all;
}

asio::awaitable<cache::information> cache::info() {
    information i;
    i.mode = mode_;
    i.entries = memory_.entries();
    pipeline size;
    size.add({"DBSIZE"});
    const auto counted = co_await ask(std::move(size));
    if (!counted) {
        i.mode = mode_;
        co_return i;
    }
    i.entries = static_cast<std::uint64_t>(counted->integer);
    pipeline memory;
    memory.add({"INFO", "memory"});
    const auto told = co_await ask(std::move(memory));
    if (told) i.used_memory_human = info_field(told->text, "used_memory_human");
    co_return i;
}

cache::statistics cache::stats() const {
    statistics s;
    s.mode = mode_;
    s.entries = memory_.entries();
    s.bytes = memory_.bytes();
    s.redis_available = redis_.connected();
    s.redis = in_redis_;
    s.memory = in_memory_;
    s.memory.evictions = memory_.evictions();
    s.refused = refused_;
    return s;
}

void cache::fall_back(std::string_view why) {
    if (mode_ == mode::memory || closed_) return;
    mode_ = mode::memory;
    fell_back_ = steady::now();
    moved_ = 0;
    core::log_warning("cache: in memory while Redis is away: {}", why);
    wake_.notify();
}

void cache::returned() {
    mode_ = mode::redis;
    memory_.clear();
    backoff_.reset();
    core::log_warning(
        "cache: back in Redis after {}, {} changes went along",
        core::format_duration(std::chrono::duration_cast<core::milliseconds>(steady::now() - fell_back_)),
        moved_);
}

void cache::close() {
    closed_ = true;
    wake_.notify();
}

asio::awaitable<void> cache::run() {
    while (!closed_) {
        auto until = steady::now() + settings_.watch;
        if (mode_ == mode::memory) until = steady::now() + settings_.step;
        co_await wake_.wait_until(until);
        if (closed_) co_return;
        if (mode_ == mode::redis) {
            if (!redis_.connected()) fall_back("no connection");
            continue;
        }
        memory_.sweep(steady::now(), swept_a_step);
        if (redis_.connected() && steady::now() >= next_try_) co_await go_back();
    }
}

// Between the last round and the change of the mode nothing is awaited, so that no write can slip in between.
asio::awaitable<void> cache::go_back() {
    while (memory_.has_changes() && !closed_) {
        const bool moved = co_await move_some();
        if (moved) continue;
        next_try_ = steady::now() + backoff_.next();
        co_return;
    }
    // Without changes only an answer tells that Redis can be used.
    pipeline p;
    p.add({"PING"});
    const auto answered = co_await redis_.execute(std::move(p));
    const bool there = answered && !answered->front().is_error();
    if (there && !memory_.has_changes() && !closed_) returned();
}

asio::awaitable<bool> cache::move_some() {
    const auto some = memory_.changes(changes_a_round, bytes_a_round, steady::now());
    pipeline p;
    for (const auto& c : some) {
        if (!c.value)
            p.add({"UNLINK", c.key});
        else if (c.time_to_live)
            p.add({"SET", c.key, *c.value, "PX", std::to_string(c.time_to_live->count())});
        else
            p.add({"SET", c.key, *c.value});
    }
    const auto answered = co_await redis_.execute(std::move(p));
    if (!answered) co_return false;
    bool all = true;
    for (std::size_t i = 0; i < some.size(); ++i) {
        const auto& r = (*answered)[i];
        const bool done = classify(r) == verdict::delivered;
        if (is_refusal(r)) ++refused_;
        // What Redis will never take must not keep the rest from it.
        if (done || is_refusal(r)) memory_.settled(some[i].key, some[i].number);
        if (done) ++moved_;
        all = all && (done || is_refusal(r));
    }
    co_return all;
}

}  // namespace postrider::redis
