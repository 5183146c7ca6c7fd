#include "http/bodies.hpp"

#include "http/json.hpp"
#include "http/timestamp.hpp"

namespace postrider::http {
namespace {

void latency(json_writer& json, const std::optional<double>& milliseconds) {
    json.key("latency_ms");
    if (milliseconds) {
        json.number(*milliseconds);
    } else {
        json.null();
    }
}

void connection_state(json_writer& json, std::string_view name, const component& c) {
    json.key(name).object().key("status").string(c.up ? "connected" : "disconnected");
    latency(json, c.latency_ms);
    json.end_object();
}

void component_state(json_writer& json, std::string_view name, const component& c) {
    json.key(name).object().key("status").string(c.up ? "up" : "down");
    latency(json, c.latency_ms);
    json.key("since");
    if (c.since == core::wall::time_point{}) {
        json.null();
    } else {
        json.string(iso_timestamp(c.since));
    }
    if (!c.detail.empty()) json.key("detail").string(c.detail);
    json.end_object();
}

void breaker_state(json_writer& json, const breaker& b) {
    json.key("breaker").object().key("state").string(b.state).key("since");
    if (b.since) {
        json.string(iso_timestamp(*b.since));
    } else {
        json.null();
    }
    json.key("reason");
    if (b.reason.empty()) {
        json.null();
    } else {
        json.string(b.reason);
    }
    json.end_object();
}

std::string_view name(overall o) {
    switch (o) {
        case overall::up:
            return "up";
        case overall::degraded:
            return "degraded";
        case overall::down:
            break;
    }
    return "down";
}

void uptime(json_writer& json, const moment& at) {
    json.key("uptime_seconds").number(static_cast<double>(at.uptime.count()) / 1000);
}

void route_state(json_writer& json, const route_stats& r) {
    json.object().key("name").string(r.name).key("policy").string(r.policy);
    json.key("events").count(r.events).key("pushed").count(r.pushed).key("messages").count(r.messages);
    json.key("duplicates").count(r.duplicates).key("skipped").count(r.skipped);
    json.key("cancelled").count(r.cancelled).key("open").count(r.open);
    json.key("rejected").object();
    for (const auto& [reason, count] : r.rejected)
        json.key(reason).count(count);
    json.end_object().key("failed").count(r.failed).end_object();
}

void letter_state(json_writer& json, const letter_stats& s) {
    json.key("dead_letters").object().key("store").string(s.store).key("taken").count(s.taken);
    json.key("stored").count(s.stored).key("in_memory").count(s.in_memory).key("dropped").count(s.dropped);
    json.key("by_reason").object();
    for (const auto& [reason, count] : s.by_reason)
        json.key(reason).count(count);
    json.end_object().end_object();
}

}  // namespace

std::string health_body(const health& h, const std::string& version, const moment& at) {
    json_writer json;
    json.object().key("status").string(h.overall == overall::up ? "healthy" : "degraded");
    connection_state(json, "redis", h.redis);
    connection_state(json, "database", h.database);
    uptime(json, at);
    json.key("version").string(version).key("timestamp").string(iso_timestamp(at.now));
    return json.end_object().take();
}

std::string readiness_body(const health& h) {
    json_writer json;
    json.object().key("overall").string(name(h.overall)).key("components").object();
    component_state(json, "database", h.database);
    component_state(json, "redis", h.redis);
    component_state(json, "listener", h.listener);
    json.end_object().key("role").string(h.role);
    if (h.stopping) json.key("stopping").boolean(true);
    return json.end_object().take();
}

std::string liveness_body() {
    return R"({"status":"alive"})";
}

std::string redis_stats_body(const redis_stats& s, const moment& at) {
    const auto hits = static_cast<double>(s.keyspace_hits);
    const auto looked_up = hits + static_cast<double>(s.keyspace_misses);
    json_writer json;
    json.object().key("status").string("connected").key("mode").string(s.mode).key("server").string(s.server);
    json.key("latency_ms").number(s.ping_ms);
    json.key("latency").object().key("p50_ms").number(s.p50_ms).key("p95_ms").number(s.p95_ms);
    json.key("p99_ms").number(s.p99_ms).key("max_ms").number(s.max_ms).end_object();
    json.key("connected_clients").integer(s.connected_clients);
    json.key("used_memory_human").string(s.used_memory_human);
    json.key("total_commands_processed").integer(s.total_commands_processed);
    json.key("keyspace_hits").integer(s.keyspace_hits).key("keyspace_misses").integer(s.keyspace_misses);
    json.key("hit_rate").number(looked_up > 0 ? hits / looked_up : 0, 4);
    json.key("queues").object();
    for (const auto& [queue, length] : s.queues)
        json.key(queue).integer(length);
    json.end_object().key("ledger").object();
    for (const auto& l : s.ledgers)
        json.key(l.target)
            .object()
            .key("keys")
            .integer(l.keys)
            .key("entries")
            .integer(l.entries)
            .end_object();
    json.end_object();
    breaker_state(json, s.breaker);
    json.key("reconnects").count(s.reconnects).key("retries").count(s.retries);
    json.key("timestamp").string(iso_timestamp(at.now));
    return json.end_object().take();
}

std::string redis_ping_body(double latency_ms) {
    json_writer json;
    json.object().key("status").string("connected").key("message").string("pong");
    return json.key("latency_ms").number(latency_ms).end_object().take();
}

std::string redis_away_body(const std::string& why) {
    return json_writer()
        .object()
        .key("error")
        .string(why)
        .key("status")
        .string("disconnected")
        .end_object()
        .take();
}

std::string cache_stats_body(const cache_stats& s) {
    json_writer json;
    json.object().key("mode").string(s.mode).key("entries").count(s.entries);
    json.key("redisAvailable").boolean(s.redis_available).key("hits").count(s.hits);
    json.key("misses").count(s.misses).key("evictions").count(s.evictions);
    json.key("redis").object().key("hits").count(s.redis_hits).key("misses").count(s.redis_misses);
    json.end_object().key("memory").object().key("hits").count(s.memory_hits);
    json.key("misses").count(s.memory_misses).key("evictions").count(s.evictions);
    return json.key("bytes").count(s.memory_bytes).end_object().end_object().take();
}

std::string stats_body(const stats& s, const moment& at) {
    std::uint64_t open = 0;
    json_writer json;
    json.object().key("routes").array();
    for (const auto& r : s.routes) {
        route_state(json, r);
        open += r.open;
    }
    json.end_array().key("open").count(open);
    json.key("waiting").count(s.waiting).key("waiting_bytes").count(s.waiting_bytes);
    json.key("parking").boolean(s.parking).key("parked").count(s.parked);
    letter_state(json, s.letters);
    json.key("events_per_second").number(s.events_per_second);
    json.key("deliveries_per_second").number(s.deliveries_per_second);
    json.key("database_reconnects").count(s.database_reconnects).key("last_error");
    if (s.last_error.empty()) {
        json.null();
    } else {
        json.object().key("message").string(s.last_error).key("at");
        if (s.last_error_at) {
            json.string(iso_timestamp(*s.last_error_at));
        } else {
            json.null();
        }
        json.end_object();
    }
    uptime(json, at);
    json.key("timestamp").string(iso_timestamp(at.now));
    return json.end_object().take();
}

std::string state_body(const health& h, const stats& s, const live& l, const std::string& version,
                       const moment& at) {
    json_writer json;
    json.object().key("version").string(version);
    json.key("readiness").raw(readiness_body(h)).key("stats").raw(stats_body(s, at));
    breaker_state(json, l.breaker);
    json.key("redis_round_trips").object().key("count").count(l.redis_round_trips);
    json.key("seconds").number(l.redis_seconds, 6).end_object().key("group_sizes").array();
    for (const auto& [up_to, count] : l.group_sizes) {
        json.object().key("up_to");
        if (up_to) {
            json.number(*up_to);
        } else {
            json.null();
        }
        json.key("count").count(count).end_object();
    }
    json.end_array().key("next_due").array();
    for (const auto& g : l.next_due) {
        json.object().key("route").string(g.route).key("key").string(g.key).key("messages").count(g.messages);
        json.key("due_in_ms").integer(g.due_in.count()).end_object();
    }
    return json.end_array().end_object().take();
}

}  // namespace postrider::http
