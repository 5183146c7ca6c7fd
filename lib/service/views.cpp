#include "service/views.hpp"

#include "core/percentiles.hpp"
#include "redis/server_info.hpp"

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

http::component redis_of(const observed& o) {
    const auto& s = o.redis.current();
    http::component c;
    c.up = o.redis.connected();
    if (c.up && s.last_ping.count() != 0) c.latency_ms = milliseconds_of(s.last_ping);
    c.since = wall_of(s.since);
    if (!c.up) c.detail = s.last_error;
    const auto& carrier = o.bridge.carrier().current();
    if (c.up) c.detail = carrier.last_error.empty() ? carrier.save_error : carrier.last_error;
    return c;
}

// Listening alone is not enough: events must also find their way in.
http::component listener_of(const observed& o) {
    const auto& s = o.source.current();
    http::component c;
    c.up = s.listening && o.bridge.restored() && s.catch_up_error.empty();
    c.since = wall_of(s.since);
    if (!s.listening)
        c.detail = "not listening";
    else if (!o.bridge.restored())
        c.detail = "events are held until the open groups of an earlier run are read from Redis";
    else
        c.detail = s.catch_up_error;
    return c;
}

http::health health_of(const observed& o) {
    http::health h;
    h.database = database_of(o);
    h.redis = redis_of(o);
    h.listener = listener_of(o);
    h.stopping = o.stopping;
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

http::stats stats_of(const observed& o) {
    http::stats s;
    for (const auto& l : o.bridge.lanes())
        s.routes.push_back(stats_of(l));
    s.waiting = o.bridge.carrier().waiting();
    s.waiting_bytes = o.bridge.carrier().waiting_bytes();
    s.events_per_second = o.bridge.events_per_second();
    s.deliveries_per_second = o.bridge.deliveries_per_second();
    s.database_reconnects = o.source.current().reconnects;
    if (const auto& m = o.bridge.last_mishap()) {
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

asio::awaitable<core::result<http::redis_stats>> redis_stats_of(observed o) {
    auto lists = list_targets(o.bridge);
    auto info = co_await redis::ask_server(o.redis, std::move(lists));
    if (!info) co_return info.error();
    http::redis_stats s;
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
    s.reconnects = o.redis.current().reconnects;
    s.retries = o.bridge.carrier().current().retries;
    co_return s;
}

asio::awaitable<core::result<double>> redis_ping_of(observed o) {
    const auto took = co_await redis::ping(o.redis);
    if (!took) co_return took.error();
    co_return milliseconds_of(*took);
}

}  // namespace

http::view make_view(observed o) {
    http::view v;
    v.health = [o] { return health_of(o); };
    v.stats = [o] { return stats_of(o); };
    v.redis_stats = [o] { return redis_stats_of(o); };
    v.redis_ping = [o] { return redis_ping_of(o); };
    v.started = steady::now();
    v.version = POSTRIDER_VERSION;
    return v;
}

}  // namespace postrider::service
