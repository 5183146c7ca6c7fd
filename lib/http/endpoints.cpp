#include "http/endpoints.hpp"

#include <algorithm>
#include <array>

#include "http/answer.hpp"
#include "http/bodies.hpp"
#include "http/dashboard.hpp"
#include "http/letters.hpp"
#include "http/shared_call.hpp"

namespace postrider::http {
namespace {

constexpr core::milliseconds event_interval{1'000};

response json(std::string body, unsigned status = 200) {
    response r;
    r.status = status;
    r.body = std::move(body);
    return r;
}

class endpoints {
 public:
    explicit endpoints(view v)
        : view_(std::move(v)),
          stats_(view_.redis_stats),
          ping_(view_.redis_ping),
          cache_(view_.cache_stats),
          events_(std::make_shared<feed>([this] { return event(); }, event_interval)) {}

    asio::awaitable<response> answer(request asked);

 private:
    using action = asio::awaitable<response> (endpoints::*)(request);
    struct entry {
        std::string_view path;
        std::string_view method;
        action act;
    };

    asio::awaitable<response> refuse(std::string allow);
    asio::awaitable<response> health(request) {
        co_return json(health_body(view_.health(), view_.version, this_moment()));
    }
    asio::awaitable<response> liveness(request) { co_return json(liveness_body()); }
    asio::awaitable<response> readiness(request);
    asio::awaitable<response> redis_stats(request);
    asio::awaitable<response> redis_ping(request);
    asio::awaitable<response> cache_stats(request);
    asio::awaitable<response> metrics(request) {
        response r = json(view_.metrics());
        r.content_type = "text/plain; version=0.0.4; charset=utf-8";
        co_return r;
    }
    asio::awaitable<response> dashboard(request) {
        // Made when it is first asked for: OpenSSL's first digest costs 2 MB.
        if (!page_) page_ = make_dashboard();
        co_return *page_;
    }
    asio::awaitable<response> events(request) {
        response r;
        r.content_type = "text/event-stream";
        r.fields.emplace_back("X-Accel-Buffering", "no");  // nginx would hold the events back
        r.stream = events_;
        co_return r;
    }
    // As WHATWG HTML, section 9.2 "Server-sent events" has it; the JSON is one line.
    std::string event() const {
        return "event: state\ndata: " +
               state_body(view_.health(), view_.stats(), view_.live(), view_.version, this_moment()) + "\n\n";
    }
    asio::awaitable<response> stats(request) { co_return json(stats_body(view_.stats(), this_moment())); }

    moment this_moment() const {
        return {
            .now = core::wall::now(),
            .uptime = std::chrono::duration_cast<core::milliseconds>(core::steady::now() - view_.started)};
    }

    static const std::array<entry, 11> table;

    view view_;
    shared_call<http::redis_stats> stats_;
    shared_call<double> ping_;
    shared_call<http::cache_stats> cache_;
    std::shared_ptr<feed> events_;
    std::optional<response> page_;
};

// One line a path and method; GET stands for HEAD too.
constexpr std::array<endpoints::entry, 11> endpoints::table{{
    {"/", "GET", &endpoints::dashboard},
    {"/events", "GET", &endpoints::events},
    {"/health", "GET", &endpoints::health},
    {"/api/health", "GET", &endpoints::health},
    {"/health/liveness", "GET", &endpoints::liveness},
    {"/health/readiness", "GET", &endpoints::readiness},
    {"/redis/stats", "GET", &endpoints::redis_stats},
    {"/redis/ping", "GET", &endpoints::redis_ping},
    {"/stats", "GET", &endpoints::stats},
    {"/metrics", "GET", &endpoints::metrics},
    {"/cache/stats", "GET", &endpoints::cache_stats},
}};

asio::awaitable<response> endpoints::answer(request asked) {
    if (is_letter_path(asked.path)) return answer_letters(view_, std::move(asked));
    const std::string_view method = asked.method == "HEAD" ? "GET" : std::string_view(asked.method);
    std::string allow;
    for (const auto& e : table) {
        if (e.path != asked.path) continue;
        if (e.method == method) return (this->*e.act)(std::move(asked));
        if (!allow.empty()) allow += ", ";
        allow += e.method == "GET" ? "GET, HEAD" : e.method;
    }
    return refuse(std::move(allow));
}

asio::awaitable<response> endpoints::refuse(std::string allow) {
    if (allow.empty()) co_return error_response(404, "there is no such endpoint");
    response r = error_response(405, "this endpoint answers to " + allow + " only");
    r.allow = std::move(allow);
    co_return r;
}

asio::awaitable<response> endpoints::readiness(request) {
    const auto state = view_.health();
    const bool ready = state.overall == overall::up && !state.stopping;
    co_return json(readiness_body(state), ready ? 200 : 503);
}

asio::awaitable<response> endpoints::redis_stats(request) {
    const auto answered = co_await stats_();
    if (!answered) co_return json(redis_away_body(answered.error().message), 503);
    co_return json(redis_stats_body(*answered, this_moment()));
}

asio::awaitable<response> endpoints::redis_ping(request) {
    const auto answered = co_await ping_();
    if (!answered) co_return json(redis_away_body(answered.error().message), 503);
    co_return json(redis_ping_body(*answered));
}

asio::awaitable<response> endpoints::cache_stats(request) {
    const auto answered = co_await cache_();
    if (!answered) co_return error_response(503, answered.error().message);
    co_return json(cache_stats_body(*answered));
}

}  // namespace

handler make_endpoints(view v) {
    auto all = std::make_shared<endpoints>(std::move(v));
    return [all](request asked) { return all->answer(std::move(asked)); };
}

}  // namespace postrider::http
