#include "redis/node.hpp"

#include <algorithm>
#include <random>
#include <utility>

#include "core/duration.hpp"
#include "core/log_line.hpp"
#include "redis/session.hpp"

namespace postrider::redis {
namespace {

using clock = core::steady;

// A failover takes seconds, and the sentinels and the other nodes may be asked often.
core::milliseconds longest_wait(const options& o) {
    if (o.mode == topology::single) return o.backoff_cap;
    return std::min(o.backoff_cap, core::milliseconds(2'000));
}

options of_server(options o) {
    if (o.mode == topology::sentinel) o.must_be_primary = true;
    return o;
}

}  // namespace

node::node(const asio::any_io_executor& executor, options o, observer watcher)
    : link(executor),
      executor_(executor),
      settings_(std::move(o)),
      watcher_(std::move(watcher)),
      where_(describe(settings_)),
      server_(of_server(settings_)),
      waits_(std::min(settings_.backoff_first, longest_wait(settings_)), longest_wait(settings_),
             std::random_device{}()),
      resume_(executor),
      check_again_(executor),
      lost_at_(clock::now()),
      tasks_(executor, [this](std::string_view task, std::string_view words) {
          core::log_critical("redis {}: task '{}' failed, which is a bug: {}", where_, task, words);
          stop();
      }) {
    if (settings_.mode != topology::sentinel) return;
    sentinels_.emplace(executor, settings_);
    checking_.emplace(executor, settings_);
}

node::~node() = default;

asio::awaitable<void> node::run() {
    if (checking_) tasks_.spawn("look at the sentinels", follow_sentinels());
    while (!health_.stopping)
        co_await one_session();
    co_await tasks_.join();
    health_.enter(link_state::stopped);
}

asio::awaitable<void> node::one_session() {
    health_.enter(link_state::connecting);
    const core::failure why = co_await serve();
    const bool served = health_.now.state == link_state::connected;
    const auto lived = clock::now() - health_.now.since;
    session_.reset();
    if (health_.stopping) co_return;

    if (served) waits_.reset();
    core::milliseconds wait = waits_.next();
    if (served) {
        // A server that welcomes and drops us at once must not make this a busy loop, and one that flaps must
        // not be left alone for ever longer: sessions begin no sooner than a first wait after one another.
        waits_.reset();
        wait -= std::min(wait, std::chrono::duration_cast<core::milliseconds>(lived));
    }
    lost(why, served, wait);
    if (wait.count() > 0) co_await pause(wait);
}

asio::awaitable<core::failure> node::serve() {
    const auto found = co_await find_server();
    if (health_.stopping) co_return core::failure{core::errc::stopped, "stopped"};
    if (!found) co_return found.error();
    session::events events;
    events.ready = [this] { became_ready(); };
    events.pinged = [this](std::chrono::microseconds round_trip) {
        health_.pinged(round_trip);
        if (watcher_.pinged) watcher_.pinged(round_trip);
    };
    session_ = std::make_unique<session>(executor_, server_, std::move(events));
    core::failure why = co_await session_->run();
    if (sentinels_ && health_.now.state != link_state::connected)
        why.message = "no primary at the moment: the sentinels name " +
                      to_text({server_.host, server_.port}) + ", but: " + why.message;
    co_return why;
}

asio::awaitable<core::result<void>> node::find_server() {
    if (!sentinels_) co_return core::result<void>();
    auto primary = co_await sentinels_->primary();
    if (!primary) co_return primary.error();
    server_.host = std::move(primary->host);
    server_.port = primary->port;
    co_return core::result<void>();
}

void node::lost(const core::failure& why, bool served, core::milliseconds wait) {
    const bool is_news = std::exchange(health_.now.last_error, why.message) != why.message;
    if (served) {
        core::log_warning("redis {}: connection lost: {}", where_, why.message);
        lost_at_ = clock::now();
    } else {
        const auto n = ++health_.now.attempts;
        // Where the waits stay short, the same words again are told ever more rarely.
        if (settings_.mode == topology::single || is_news || (n & (n - 1)) == 0)
            core::log_warning("redis {}: attempt {} failed: {}; next in {}", where_, n, why.message,
                              core::format_duration(wait));
    }
    if (watcher_.changed) watcher_.changed(false);
}

asio::awaitable<void> node::pause(core::milliseconds length) {
    health_.enter(link_state::waiting);
    const auto end = clock::now() + length;
    while (!health_.stopping && clock::now() < end)
        co_await resume_.wait_until(end);
}

// An old primary that is cut off from the sentinels but not from us would never tell that it was replaced.
asio::awaitable<void> node::follow_sentinels() {
    while (!health_.stopping) {
        const auto next = clock::now() + settings_.ping_interval;
        while (!health_.stopping && clock::now() < next)
            co_await check_again_.wait_until(next);
        if (!connected()) continue;
        const auto primary = co_await checking_->primary();
        if (!primary || !connected() || *primary == *served_by_) continue;
        reconnect("the sentinels name " + to_text(*primary) + " as the primary now");
    }
}

void node::became_ready() {
    const address server{server_.host, server_.port};
    if (sentinels_ && served_by_ && *served_by_ != server)
        core::log_warning("redis {}: failover: the primary is {} now, and was {}", where_, to_text(server),
                          to_text(*served_by_));
    served_by_ = server;
    auto& now = health_.now;
    if (health_.generation++ != 0) {
        ++now.reconnects;
        now.outage = std::chrono::duration_cast<core::milliseconds>(clock::now() - lost_at_);
        core::log_info("redis {}: reconnected after {}", where_, core::format_duration(now.outage));
    } else if (sentinels_) {
        core::log_info("redis {}: connected, the primary is {}", where_, to_text(server));
    } else {
        core::log_info("redis {}: connected", where_);
    }
    now.attempts = 0;
    health_.enter(link_state::connected);
    if (health_.connected_anew) health_.connected_anew();
    if (watcher_.changed) watcher_.changed(true);
}

core::failure node::not_connected() const {
    if (health_.stopping) return {core::errc::stopped, "the Redis client is stopped"};
    std::string words = "no connection to " + where_;
    if (!health_.now.last_error.empty()) words += ": " + health_.now.last_error;
    return {core::errc::connection_lost, std::move(words)};
}

asio::awaitable<core::result<std::vector<reply>>> node::execute(pipeline commands) {
    if (!connected()) co_return not_connected();
    if (commands.empty()) co_return std::vector<reply>();
    call c(executor_, commands.size());
    submit(c, std::move(commands));
    co_await c.wait();
    co_return c.take();
}

asio::awaitable<core::result<std::vector<reply>>> node::execute_at(address, pipeline commands) {
    return execute(std::move(commands));
}

void node::submit(call& c, pipeline commands) {
    session_->submit(c, std::move(commands));
}

void node::reconnect(std::string_view why) {
    if (!connected()) return;
    session_->close({core::errc::connection_lost, std::string(why)});
}

void node::stop() {
    if (health_.stopping) return;
    health_.stopping = true;
    if (sentinels_) sentinels_->cancel();
    if (checking_) checking_->cancel();
    if (session_) session_->close({core::errc::stopped, "the Redis client is stopped"});
    resume_.notify();
    check_again_.notify();
    health_.changed.notify();
}

bool node::connected() const {
    return session_ && session_->ready();
}

std::vector<address> node::primaries() const {
    if (!connected()) return {};
    return {{server_.host, server_.port}};
}

}  // namespace postrider::redis
