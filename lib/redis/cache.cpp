#include "redis/cache.hpp"

#include <utility>

#include "core/log_line.hpp"
#include "redis/classify.hpp"
#include "redis/glob.hpp"
#include "redis/scan.hpp"
#include "redis/server_info.hpp"

namespace postrider::redis {
namespace {

using core::steady;

constexpr std::size_t loaded_a_round = 500;

}  // namespace

cache::cache(const asio::any_io_executor& executor, client& redis, cache_settings s)
    : redis_(redis),
      settings_(s),
      memory_(s.entries, s.bytes),
      backoff_(core::milliseconds(100), s.backoff_cap, 1),
      wake_(executor) {}

void cache::hold(held_values values) {
    held_.emplace(std::move(values));
}

// What an answer means; empty: Redis is not there, or cannot now, and the memory has taken over.
std::optional<reply> cache::judge(core::result<std::vector<reply>> answered) {
    if (!answered) {
        fall_back(answered.error().message);
        return std::nullopt;
    }
    auto& r = answered->front();
    const auto meaning = classify(r);
    if (meaning == verdict::delivered) return std::move(r);
    if (meaning != verdict::permanent) {
        fall_back(r.text);
        return std::nullopt;
    }
    if (refused_++ == 0) core::log_warning("cache: Redis refuses a command for good: {}", r.text);
    return std::move(r);
}

// As judge().
bool cache::refused_for_good(const core::failure& why) {
    if (why.code != core::errc::server_error) {
        fall_back(why.message);
        return false;
    }
    return judge(std::vector<reply>{{reply::kind::error, why.message, 0, {}}}).has_value();
}

asio::awaitable<std::optional<reply>> cache::ask(pipeline one) {
    if (closed_ || mode_ == mode::memory) co_return std::nullopt;
    auto answered = co_await redis_.execute(std::move(one));
    co_return judge(std::move(answered));
}

std::optional<std::string> cache::get_from_memory(const std::string& key) {
    auto found = held_ ? held_->find(key) : std::nullopt;
    if (!found) found = memory_.get(key, steady::now());
    ++(found ? in_memory_.hits : in_memory_.misses);
    return found;
}

bool cache::has_holder(const std::string& key) {
    if (!held_ || !held_->find(key)) return false;
    ++refused_;
    return true;
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
    if (has_holder(key)) co_return;
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
    if (has_holder(key)) co_return false;
    const auto number = memory_.next();
    pipeline p;
    p.add({"UNLINK", key});
    const auto answered = co_await ask(std::move(p));
    if (answered) co_return answered->integer > 0;
    co_return !closed_ && memory_.erase(key, number, steady::now());
}

asio::awaitable<std::vector<std::string>> cache::keys(std::string pattern, std::size_t limit) {
    if (!closed_ && mode_ == mode::redis) {
        auto text = pattern;
        const auto found = co_await scan(redis_, std::move(text), limit);
        if (found) co_return std::vector<std::string>(found->begin(), found->end());
        if (refused_for_good(found.error())) co_return std::vector<std::string>();
    }
    co_return keys_in_memory(pattern, limit);
}

std::vector<std::string> cache::keys_in_memory(const std::string& pattern, std::size_t limit) const {
    auto all = memory_.keys(pattern, limit, steady::now());
    if (!held_) return all;
    held_->visit_keys([&](std::string key) {
        if (all.size() < limit && matches_glob(pattern, key)) all.push_back(std::move(key));
        return all.size() < limit;
    });
    return all;
}

asio::awaitable<core::result<std::vector<std::pair<std::string, std::string>>>> cache::load(
    std::string pattern) {
    const auto found = co_await scan(redis_, std::move(pattern));
    if (!found) co_return found.error();
    std::vector<std::pair<std::string, std::string>> all;
    for (auto at = found->begin(); at != found->end();) {
        pipeline p;
        std::vector<const std::string*> asked;
        for (; at != found->end() && asked.size() < loaded_a_round; ++at) {
            p.add({"GET", *at});
            asked.push_back(&*at);
        }
        const auto answered = co_await redis_.execute(std::move(p));
        if (!answered) co_return answered.error();
        for (std::size_t i = 0; i < asked.size(); ++i) {
            const auto& r = (*answered)[i];
            // Somebody else's key of another type answers WRONGTYPE, one that has just expired nil.
            if (r.is_error() && code_of(r) != "WRONGTYPE")
                co_return core::failure{core::errc::server_error, r.text};
            if (r.type == reply::kind::string) all.emplace_back(*asked[i], r.text);
        }
    }
    in_redis_.hits += all.size();
    co_return all;
}

asio::awaitable<cache::information> cache::info() {
    auto told = co_await ask_servers();
    if (told) co_return std::move(*told);
    information i;
    i.mode = mode_;
    i.entries = entries_in_memory();
    co_return i;
}

// Of a cluster those that are there; empty: as judge().
asio::awaitable<std::optional<cache::information>> cache::ask_servers() {
    if (closed_ || mode_ == mode::memory) co_return std::nullopt;
    auto servers = redis_.primaries();
    if (servers.empty()) fall_back("no connection");
    information i;
    server_info sum;
    for (auto& server : servers) {
        pipeline p;
        p.add({"DBSIZE"});
        p.add({"INFO", "memory"});
        auto answered = co_await redis_.execute_at(std::move(server), std::move(p));
        if (!answered && servers.size() > 1) continue;
        if (answered) add_info(sum, (*answered)[1].text);
        const auto size = judge(std::move(answered));
        if (!size) co_return std::nullopt;
        i.entries += static_cast<std::uint64_t>(size->integer);
    }
    i.used_memory_human = sum.used_memory_human;
    if (mode_ == mode::memory) co_return std::nullopt;
    co_return i;
}

std::size_t cache::entries_in_memory() const {
    if (mode_ == mode::redis) return memory_.entries();
    return memory_.entries() + (held_ ? held_->count() : 0);
}

cache::statistics cache::stats() const {
    statistics s;
    s.mode = mode_;
    s.entries = entries_in_memory();
    s.bytes = memory_.bytes();
    s.redis_available = redis_.connected();
    s.redis = in_redis_;
    s.memory = in_memory_;
    s.memory.evictions = memory_.evictions();
    s.refused = refused_;
    return s;
}

}  // namespace postrider::redis
