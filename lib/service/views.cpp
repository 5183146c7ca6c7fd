#include "service/views.hpp"

#include <fmt/format.h>

#include <map>

#include "core/percentiles.hpp"
#include "core/redact.hpp"
#include "http/timestamp.hpp"
#include "redis/server_info.hpp"
#include "service/live.hpp"
#include "service/metrics.hpp"

namespace postrider::service {
namespace {

using core::steady;
using core::wall;

double milliseconds_of(std::chrono::microseconds t) {
    return static_cast<double>(t.count()) / 1000.0;
}

wall::time_point wall_of(steady::time_point t) {
    return core::to_wall(t, steady::now(), wall::now());
}

http::component database_of(const observed& o) {
    const auto& s = o.source.current();
    http::component c;
    c.up = s.listening;
    if (s.latency) c.latency_ms = milliseconds_of(*s.latency);
    c.since = wall_of(s.since);
    c.detail = s.last_error;
    return c;
}

http::breaker breaker_of(const redis::pusher& carrier) {
    auto now = carrier.breaker_now();
    http::breaker b;
    b.state = core::name(now.state);
    if (now.since != steady::time_point{}) b.since = wall_of(now.since);
    b.reason = core::redact(now.reason);
    return b;
}

// What keeps a Redis that is connected from taking everything; empty: nothing.
std::string trouble_of(const redis::pusher& carrier) {
    const auto b = breaker_of(carrier);
    if (b.state != "closed")
        return fmt::format("the circuit breaker is {} since {}: {}", b.state == "open" ? "open" : "half-open",
                           http::iso_timestamp(b.since.value_or(wall::now())), b.reason);
    auto refusals = carrier.refusals();
    return refusals.empty() ? carrier.current().save_error : refusals;
}

http::component redis_of(const observed& o) {
    const auto& s = o.redis.current();
    http::component c;
    c.up = o.redis.connected();
    if (c.up && s.last_ping.count() != 0) c.latency_ms = milliseconds_of(s.last_ping);
    c.since = wall_of(s.since);
    if (!c.up) c.detail = s.last_error;
    if (c.up) c.detail = trouble_of(o.bridge.carrier());
    return c;
}

// Listening alone is not enough: events must also find their way in.
http::component listener_of(const observed& o) {
    const auto& s = o.source.current();
    http::component c;
    c.up = s.stands_by ? o.bridge.in_sync() : s.listening && s.live && s.catch_up_error.empty();
    c.since = wall_of(s.since);
    if (!s.listening)
        c.detail = "not listening";
    else if (s.stands_by && !c.up)
        c.detail = "standing by: the leader has not yet delivered or saved what came before";
    else if (s.stands_by)
        c.detail = "standing by: another process leads";
    else if (!o.bridge.leading())
        c.detail = "events are held until the open groups of an earlier run are read from Redis";
    else if (s.catch_up_error.empty() && !s.live)
        c.detail = "events are held until the catch-up queries have run";
    else
        c.detail = s.catch_up_error;
    return c;
}

http::health health_of(const observed& o) {
    http::health h;
    h.database = database_of(o);
    h.redis = redis_of(o);
    h.listener = listener_of(o);
    // What the servers say may quote what was sent to them.
    for (auto* c : {&h.database, &h.redis, &h.listener})
        c->detail = core::redact(c->detail);
    h.stopping = o.stopping;
    h.role = o.source.current().leads ? "leader" : "standby";
    const bool well = h.database.up && h.redis.up && h.listener.up && h.redis.detail.empty();
    if (well)
        h.overall = http::overall::up;
    else if (h.database.up || h.redis.up)
        h.overall = http::overall::degraded;
    return h;
}

http::route_stats stats_of(const lane& l) {
    http::route_stats r;
    r.name = l.route.name;
    switch (l.route.policy) {
        case event::policy::group:
            r.policy = "group";
            break;
        case event::policy::delay:
            r.policy = "delay";
            break;
        case event::policy::immediate:
            r.policy = "immediate";
            break;
    }
    r.events = l.count.events;
    r.pushed = l.count.pushed;
    r.messages = l.count.messages;
    r.duplicates = l.count.duplicates;
    r.skipped = l.count.skipped;
    r.cancelled = l.count.cancelled;
    r.failed = l.count.failed;
    r.open = l.open();
    for (const auto& [reason, n] : l.count.rejected)
        r.rejected.emplace_back(event::name(reason), n);
    return r;
}

http::letter_stats letter_stats_of(const postgres::dead_letter_box& box) {
    const auto& now = box.current();
    http::letter_stats s;
    s.store = now.store == postgres::dead_letter_box::store::postgres ? "postgres" : "memory";
    s.taken = now.taken;
    s.stored = now.written;
    s.in_memory = box.waiting();
    s.dropped = now.dropped;
    s.by_reason.assign(now.by_reason.begin(), now.by_reason.end());
    return s;
}

http::stats stats_of(const observed& o) {
    http::stats s;
    for (const auto& l : o.bridge.lanes())
        s.routes.push_back(stats_of(l));
    s.letters = letter_stats_of(o.letters);
    s.waiting = o.bridge.carrier().waiting();
    s.waiting_bytes = o.bridge.carrier().waiting_bytes();
    s.parking = o.bridge.parked().is_parking();
    s.parked = o.bridge.parked().in_table();
    s.events_per_second = o.bridge.journal().events_per_second();
    s.deliveries_per_second = o.bridge.journal().deliveries_per_second();
    s.database_reconnects = o.source.current().reconnects;
    if (const auto& m = o.bridge.journal().last_mishap()) {
        s.last_error = m->words;
        s.last_error_at = m->at;
    }
    return s;
}

std::vector<std::string> list_targets(const bridge& b) {
    std::vector<std::string> names;
    for (const auto& l : b.lanes())
        if (l.route.target.kind == event::target_kind::list &&
            std::find(names.begin(), names.end(), l.route.target.name) == names.end())
            names.push_back(l.route.target.name);
    return names;
}

std::vector<redis::ledger> ledgers_of(const bridge& b) {
    std::map<std::size_t, redis::ledger> by_line;
    for (const auto& l : b.lanes()) {
        auto& ledger = by_line[l.line];
        ledger.target = l.route.target.name;
        ledger.last_batch = b.carrier().ledger(l.line);
        ledger.sets.push_back(l.keys.behind(l.route.name));
        if (l.seen) ledger.sets.push_back(l.keys.seen(l.route.name));
    }
    std::vector<redis::ledger> all;
    all.reserve(by_line.size());
    for (auto& [line, ledger] : by_line)
        all.push_back(std::move(ledger));
    return all;
}

// Two targets may have one name, a list and a channel; they are shown together.
void add_ledger(std::vector<http::ledger>& all, const std::string& target, const redis::ledger_size& size) {
    const auto same = [&](const http::ledger& l) { return l.target == target; };
    auto at = std::find_if(all.begin(), all.end(), same);
    if (at == all.end()) at = all.insert(at, {target, 0, 0});
    at->keys += size.keys;
    at->entries += size.entries;
}

std::string servers_of(const redis::client& redis) {
    if (!redis.settings().unix_path.empty()) return redis.settings().unix_path;
    std::string all;
    for (const auto& server : redis.primaries()) {
        if (!all.empty()) all += ',';
        all += redis::to_text(server);
    }
    return all;
}

asio::awaitable<core::result<http::redis_stats>> redis_stats_of(observed o) {
    auto lists = list_targets(o.bridge);
    auto ledgers = ledgers_of(o.bridge);
    auto info = co_await redis::ask_server(o.redis, std::move(lists), std::move(ledgers));
    if (!info) co_return info.error();
    http::redis_stats s;
    s.mode = redis::name(o.redis.settings().mode);
    s.server = servers_of(o.redis);
    s.ping_ms = milliseconds_of(info->ping);
    std::vector<double> recent;
    for (const auto p : o.redis.recent_pings())
        recent.push_back(milliseconds_of(p));
    const auto spread = core::percentiles_of(std::move(recent));
    s.p50_ms = spread.p50;
    s.p95_ms = spread.p95;
    s.p99_ms = spread.p99;
    s.max_ms = spread.max;
    s.connected_clients = info->connected_clients;
    s.used_memory_human = info->used_memory_human;
    s.total_commands_processed = info->total_commands_processed;
    s.keyspace_hits = info->keyspace_hits;
    s.keyspace_misses = info->keyspace_misses;
    s.queues = std::move(info->lists);
    for (const auto& [target, size] : info->ledgers)
        add_ledger(s.ledgers, target, size);
    s.breaker = breaker_of(o.bridge.carrier());
    s.reconnects = o.redis.current().reconnects;
    s.retries = o.bridge.carrier().current().retries;
    co_return s;
}

asio::awaitable<core::result<double>> redis_ping_of(observed o) {
    const auto took = co_await redis::ping(o.redis);
    if (!took) co_return took.error();
    co_return milliseconds_of(*took);
}

asio::awaitable<core::result<http::cache_stats>> cache_stats_of(observed o) {
    const auto info = co_await o.cache.info();
    const auto now = o.cache.stats();
    http::cache_stats s;
    s.mode = info.mode == redis::cache::mode::redis ? "redis" : "memory";
    s.entries = info.entries;
    s.redis_available = now.redis_available;
    s.redis_hits = now.redis.hits;
    s.redis_misses = now.redis.misses;
    s.memory_hits = now.memory.hits;
    s.memory_misses = now.memory.misses;
    s.memory_bytes = now.bytes;
    s.hits = s.redis_hits + s.memory_hits;
    s.misses = s.redis_misses + s.memory_misses;
    s.evictions = now.memory.evictions;
    co_return s;
}

}  // namespace

http::view make_view(observed o) {
    http::view v;
    v.health = [o] { return health_of(o); };
    v.stats = [o] { return stats_of(o); };
    v.live = [o] { return live_of(o.bridge, breaker_of(o.bridge.carrier())); };
    v.metrics = [o] { return metrics_text(o, stats_of(o)); };
    v.redis_stats = [o] { return redis_stats_of(o); };
    v.redis_ping = [o] { return redis_ping_of(o); };
    v.cache_stats = [o] { return cache_stats_of(o); };
    v.admin_token = o.admin_token;
    v.letters = [o](http::letter_query asked) { return o.desk.list(std::move(asked)); };
    v.replay_letter = [o](std::string id) { return o.desk.replay(std::move(id)); };
    v.drop_letter = [o](std::string id) { return o.desk.drop(std::move(id)); };
    v.started = steady::now();
    v.version = POSTRIDER_VERSION;
    return v;
}

}  // namespace postrider::service
