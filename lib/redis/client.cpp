#include "redis/client.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <random>
#include <utility>

#include "core/backoff.hpp"
#include "core/duration.hpp"
#include "net/signal.hpp"
#include "redis/session.hpp"

namespace postrider::redis {

using clock = core::steady;

struct client::implementation {
    implementation(const asio::any_io_executor& e, options o);

    asio::awaitable<void> supervise();
    asio::awaitable<void> one_session();
    asio::awaitable<void> pause(core::milliseconds length);
    void became_ready();
    void ended(const core::failure& why);
    void pinged(std::chrono::microseconds round_trip);
    void enter(state s);
    core::failure not_connected() const;

    asio::any_io_executor executor;
    options settings;
    std::string where;
    core::backoff waits;
    std::unique_ptr<session> current_session;
    net::signal changed;
    net::signal resume;
    status now;
    std::uint64_t generation = 0;
    clock::time_point lost_at{};
    std::deque<std::chrono::microseconds> pings;
    bool stopping = false;
};

client::implementation::implementation(const asio::any_io_executor& e, options o)
    : executor(e),
      settings(std::move(o)),
      where(describe(settings)),
      waits(settings.backoff_first, settings.backoff_cap, std::random_device{}()),
      changed(e),
      resume(e) {
    now.since = lost_at = clock::now();
}

void client::implementation::enter(state s) {
    now.state = s;
    now.since = clock::now();
    changed.notify();
}

asio::awaitable<void> client::implementation::supervise() {
    while (!stopping)
        co_await one_session();
    enter(state::stopped);
}

asio::awaitable<void> client::implementation::one_session() {
    enter(state::connecting);
    session::events events;
    events.ready = [this] { became_ready(); };
    events.pinged = [this](std::chrono::microseconds round_trip) { pinged(round_trip); };
    current_session = std::make_unique<session>(executor, settings, std::move(events));
    const core::failure why = co_await current_session->run();
    const bool served = now.state == state::connected;
    const auto lived = clock::now() - now.since;
    current_session.reset();
    if (stopping) co_return;

    // A server that welcomes and drops us at once must not make this a busy loop, so only a session that
    // lasted is tried again without a wait.
    const bool lasted = served && lived >= settings.backoff_first;
    if (lasted) waits.reset();
    core::milliseconds wait{0};
    if (!lasted) wait = waits.next();
    now.last_error = why.message;
    if (served) {
        spdlog::warn("redis {}: connection lost: {}", where, why.message);
        lost_at = clock::now();
    } else {
        ++now.attempts;
        spdlog::warn("redis {}: attempt {} failed: {}; next in {}", where, now.attempts, why.message,
                     core::format_duration(wait));
    }
    if (!lasted) co_await pause(wait);
}

asio::awaitable<void> client::implementation::pause(core::milliseconds length) {
    enter(state::waiting);
    const auto end = clock::now() + length;
    while (!stopping && clock::now() < end)
        co_await resume.wait_until(end);
}

void client::implementation::became_ready() {
    const bool again = generation++ != 0;
    if (again) {
        ++now.reconnects;
        now.outage = std::chrono::duration_cast<core::milliseconds>(clock::now() - lost_at);
        spdlog::info("redis {}: reconnected after {}", where, core::format_duration(now.outage));
    } else {
        spdlog::info("redis {}: connected", where);
    }
    now.attempts = 0;
    enter(state::connected);
}

void client::implementation::pinged(std::chrono::microseconds round_trip) {
    constexpr std::size_t remembered = 1'024;
    now.last_ping = round_trip;
    pings.push_back(round_trip);
    if (pings.size() > remembered) pings.pop_front();
}

core::failure client::implementation::not_connected() const {
    if (stopping) return {core::errc::stopped, "the Redis client is stopped"};
    std::string words = "no connection to " + where;
    if (!now.last_error.empty()) words += ": " + now.last_error;
    return {core::errc::connection_lost, std::move(words)};
}

client::client(const asio::any_io_executor& executor, options o)
    : impl_(std::make_unique<implementation>(executor, std::move(o))) {}

client::~client() = default;

asio::awaitable<void> client::run() {
    return impl_->supervise();
}

asio::awaitable<core::result<std::vector<reply>>> client::execute(pipeline commands) {
    if (!connected()) co_return impl_->not_connected();
    if (commands.empty()) co_return std::vector<reply>();
    call c(impl_->executor, commands.size());
    impl_->current_session->submit(c, std::move(commands));
    co_await c.wait();
    co_return c.take();
}

asio::awaitable<bool> client::wait_connected() {
    while (!connected() && !impl_->stopping)
        co_await impl_->changed.wait();
    co_return connected();
}

void client::reconnect(std::string_view why) {
    if (!connected()) return;
    impl_->current_session->close({core::errc::connection_lost, std::string(why)});
}

void client::stop() {
    if (impl_->stopping) return;
    impl_->stopping = true;
    if (impl_->current_session)
        impl_->current_session->close({core::errc::stopped, "the Redis client is stopped"});
    impl_->resume.notify();
    impl_->changed.notify();
}

bool client::connected() const {
    return impl_->current_session && impl_->current_session->ready();
}

const client::status& client::current() const {
    return impl_->now;
}

const options& client::settings() const {
    return impl_->settings;
}

std::uint64_t client::generation() const {
    return impl_->generation;
}

const std::deque<std::chrono::microseconds>& client::recent_pings() const {
    return impl_->pings;
}

}  // namespace postrider::redis
