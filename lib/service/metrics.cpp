#include "service/metrics.hpp"

#include <algorithm>
#include <array>
#include <map>

namespace postrider::service {
namespace {

using core::steady;

constexpr std::array rejections{event::rejection::too_large, event::rejection::not_json,
                                event::rejection::no_key,    event::rejection::key_type,
                                event::rejection::no_id,     event::rejection::bad_time};

// The words of Redis that may become labels; a script or a proxy can answer with any other.
constexpr std::array<std::string_view, 6> refusals{"WRONGTYPE", "NOPERM",    "NOAUTH",
                                                   "ERR",       "CROSSSLOT", "WRONGPASS"};

double number(std::uint64_t n) {
    return static_cast<double>(n);
}

double seconds(steady::duration d) {
    return std::chrono::duration<double>(d).count();
}

void add_route(http::metric_page& page, const lane& l) {
    const auto& c = l.count;
    const http::metric_page::labels route{{"route", l.route.name}};
    page.counter("postrider_events_total", "Events read from the source.", number(c.events), route);
    page.counter("postrider_deliveries_total", "Groups, delayed and single events that Redis has taken.",
                 number(c.pushed), route);
    page.counter("postrider_delivered_events_total", "Events inside what Redis has taken.",
                 number(c.messages), route);
    page.counter("postrider_duplicates_total", "Events dropped because they were seen before.",
                 number(c.duplicates), route);
    page.counter("postrider_skipped_total", "Events left out by probability or because no bot takes part.",
                 number(c.skipped), route);
    page.counter("postrider_cancelled_total", "Delayed events that another event cancelled.",
                 number(c.cancelled), route);
    page.counter("postrider_refused_deliveries_total", "Deliveries that Redis refuses for good.",
                 number(c.failed), route);
    page.gauge("postrider_open_groups", "Groups open, or delayed events waiting.", number(l.open()), route);
    for (const auto reason : rejections) {
        const auto at = c.rejected.find(reason);
        page.counter("postrider_rejected_total", "Events turned away as bad input.",
                     at == c.rejected.end() ? 0 : number(at->second),
                     {{"route", l.route.name}, {"reason", std::string(event::name(reason))}});
    }
    page.histogram("postrider_delivery_latency_seconds",
                   "From the first event's arrival (of a delayed one, from when it was due) until Redis has "
                   "taken it, the window's own wait included.",
                   c.latency, route);
    page.histogram("postrider_push_latency_seconds",
                   "From leaving, when its window is over, until Redis has taken it.", c.push_latency, route);
    if (l.route.policy != event::policy::group) return;
    page.counter("postrider_groups_total", "Groups that Redis has taken.", number(c.pushed), route);
    page.histogram("postrider_group_events", "Events in a group that leaves.", c.group_events, route);
    page.histogram("postrider_group_age_seconds", "From a group's first event to its departure.", c.group_age,
                   route);
}

bool is_rejection(std::string_view reason) {
    return std::any_of(rejections.begin(), rejections.end(),
                       [&](auto r) { return event::name(r) == reason; });
}

struct server_state {
    std::string name;
    bool up;
    std::uint64_t reconnects;
    steady::duration away;
    double ping;  // seconds
};

void add_server(http::metric_page& page, const server_state& s) {
    const http::metric_page::labels server{{"server", s.name}};
    page.gauge("postrider_server_up", "1 while the server is connected, else 0.", s.up ? 1 : 0, server);
    page.counter("postrider_reconnects_total", "Connections made again after a loss.", number(s.reconnects),
                 server);
    page.counter("postrider_outage_seconds_total",
                 "Seconds without the server since the start; one that lasts counts as it goes.",
                 seconds(s.away), server);
    page.gauge("postrider_ping_seconds", "Round trip of the last sign of life; 0: none yet.", s.ping, server);
}

void add_servers(http::metric_page& page, const observed& o) {
    const auto now = steady::now();
    const auto& r = o.redis.current();
    const auto redis_away = r.state == redis::link_state::connected ? r.away : r.away + (now - r.since);
    add_server(page, {"redis", o.redis.connected(), r.reconnects, redis_away, seconds(r.last_ping)});
    const auto& p = o.source.current();
    const auto postgres_away = p.listening ? p.away : p.away + (now - p.since);
    add_server(page,
               {"postgres", p.listening, p.reconnects, postgres_away, p.latency ? seconds(*p.latency) : 0});
    page.gauge("postrider_pg_notification_queue_usage_ratio",
               "How full the server's notification queue is, 0 to 1, at the last heartbeat.", p.queue_usage);
    page.gauge("postrider_leader", "1 while this process leads, 0 while it stands by.", p.leads ? 1 : 0);
    const auto& carrier = o.bridge.carrier().current();
    page.counter("postrider_redis_retries_total", "Round trips to Redis that had to be made again.",
                 number(carrier.retries));
    page.histogram("postrider_redis_latency_seconds", "Answered round trips of pushes and saves to Redis.",
                   carrier.latency);
}

// Two targets may have one name, a list and a channel; of their breakers the one that stands worse is shown.
void add_breakers(http::metric_page& page, const redis::pusher& carrier) {
    constexpr std::array states{core::breaker::state::closed, core::breaker::state::half_open,
                                core::breaker::state::open};
    const auto rank = [&](auto s) { return std::find(states.begin(), states.end(), s) - states.begin(); };
    std::map<std::string_view, core::breaker::state> by_target;
    for (const auto& [target, state] : carrier.breakers()) {
        const auto at = by_target.try_emplace(target, state).first;
        if (rank(state) > rank(at->second)) at->second = state;
    }
    for (const auto& [target, now] : by_target)
        for (const auto state : states)
            page.gauge("postrider_breaker_state", "1 for the state that the target's circuit breaker is in.",
                       now == state ? 1 : 0,
                       {{"target", std::string(target)}, {"state", std::string(core::name(state))}});
}

}  // namespace

// Every reason stands there from the start, because an increase is not seen in a series that begins with it.
void add_failures(http::metric_page& page, const http::letter_stats& s) {
    std::array<double, refusals.size() + 1> counts{};
    for (const auto& [reason, n] : s.by_reason) {
        if (is_rejection(reason)) continue;
        const auto at = std::find(refusals.begin(), refusals.end(), reason);
        counts[static_cast<std::size_t>(at - refusals.begin())] += number(n);
    }
    for (std::size_t i = 0; i < counts.size(); ++i)
        page.counter("postrider_permanent_failures_total",
                     "Deliveries that Redis refuses for good, by its error code.", counts[i],
                     {{"reason", i < refusals.size() ? std::string(refusals[i]) : "other"}});
    page.counter("postrider_dead_letters_total", "Events and deliveries that became dead letters.",
                 number(s.taken));
    page.counter("postrider_dead_letters_stored_total", "Dead letters written to Postgres.",
                 number(s.stored));
    page.counter("postrider_dead_letters_dropped_total", "Dead letters lost beyond the bounds of the memory.",
                 number(s.dropped));
    page.gauge("postrider_dead_letters_in_memory", "Dead letters that only this process knows.",
               number(s.in_memory));
}

std::string metrics_text(const observed& o, const http::stats& s) {
    http::metric_page page;
    page.gauge("postrider_build_info", "1, labelled with the version.", 1, {{"version", POSTRIDER_VERSION}});
    for (const auto& l : o.bridge.lanes())
        add_route(page, l);
    add_failures(page, s.letters);
    add_servers(page, o);
    add_breakers(page, o.bridge.carrier());
    page.gauge("postrider_waiting_deliveries", "Deliveries on their way to Redis.", number(s.waiting));
    page.gauge("postrider_waiting_bytes", "Bytes of the deliveries on their way to Redis.",
               number(s.waiting_bytes));
    page.gauge("postrider_parked_events", "Events put aside in Postgres by this process, not back yet.",
               number(s.parked));
    page.gauge("postrider_http_connections", "HTTP connections open, event streams not counted.",
               number(o.server.connections() - o.server.streams()));
    page.gauge("postrider_http_streams", "Event streams open, each a dashboard.", number(o.server.streams()));
    page.histogram("postrider_event_loop_lag_seconds", "How late the event loop serves a timer.",
                   o.lag.seen());
    return page.text();
}

}  // namespace postrider::service
