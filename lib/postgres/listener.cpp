#include "postgres/listener.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <random>

#include "core/duration.hpp"
#include "core/log_line.hpp"
#include "core/token.hpp"

namespace postrider::postgres {
namespace {

using core::steady;

void remove_repeats(std::vector<std::string>& names) {
    std::sort(names.begin(), names.end());
    names.erase(std::unique(names.begin(), names.end()), names.end());
}

std::uint64_t random_seed() {
    std::random_device device;
    return (std::uint64_t{device()} << 32) | device();
}

}  // namespace

listener::listener(asio::any_io_executor executor, listener_settings settings, listener_sink sink)
    : executor_(std::move(executor)),
      settings_(std::move(settings)),
      sink_(std::move(sink)),
      backoff_(settings_.backoff_first, settings_.backoff_cap, random_seed()),
      woken_(executor_),
      heard_(executor_),
      election_(settings_.name),
      catch_up_(settings_, sink_) {
    status_.since = steady::now();
    remove_repeats(settings_.channels);
    probe_channel_ = "postrider_probe_" + core::random_token();
    if (election_.contested()) election_channel_ = election_.channel();
}

// Cancellation unwinds the session wherever it waits: nothing of it needs finishing.
asio::awaitable<void> listener::run() {
    if (stopping_) co_return;
    auto token = asio::bind_cancellation_slot(cancel_.slot(), asio::as_tuple(asio::use_awaitable));
    auto work = supervise();
    auto finished = asio::co_spawn(executor_, std::move(work), std::move(token));
    const auto [error] = co_await std::move(finished);
    if (error && !stopping_) std::rethrow_exception(error);
    status_.listening = false;
    status_.live = false;
    status_.since = steady::now();
}

void listener::stop() {
    stopping_ = true;
    cancel_.emit(asio::cancellation_type::terminal);
}

asio::awaitable<void> listener::supervise() {
    asio::steady_timer pause(executor_);
    for (;;) {
        const auto why = co_await session();
        const bool was_up = status_.listening;
        down(why);
        sink_.ended();
        if (sink_.changed) sink_.changed();
        const auto wait = backoff_.next();
        if (!was_up)
            core::log_error("postgres: attempt {} failed: {}; next in {}", ++failed_attempts_, why.message,
                            core::format_duration(wait));
        pause.expires_after(wait);
        co_await pause.async_wait(asio::use_awaitable);
    }
}

// What the session has heard is taken also where a cancellation ends it.
asio::awaitable<core::failure> listener::session() {
    status_.live = false;
    marker_heard_ = false;
    resigned_ = false;
    part_ = part::unknown;
    is_heir_ = false;
    catch_up_.begin_session();
    catch_up_again_ = {};
    auto opened = co_await connection::open(settings_.conninfo, settings_.connect_timeout);
    if (!opened) co_return opened.error();
    auto& c = *opened;
    auto work = use(c);
    auto finished = asio::co_spawn(executor_, std::move(work), asio::as_tuple(asio::use_awaitable));
    const auto [error, why] = co_await std::move(finished);
    drain(c);
    if (error) std::rethrow_exception(error);
    co_return why;
}

// The catch-up runs beside the session that listens, and ends with it.
asio::awaitable<core::failure> listener::use(connection& c) {
    auto started = co_await start(c);
    if (!started) co_return started.error();
    up(c);
    auto serving = serve(c);
    auto catching_up = go_live_when_caught_up();
    auto both = asio::experimental::make_parallel_group(
        asio::co_spawn(executor_, std::move(serving), asio::deferred),
        asio::co_spawn(executor_, std::move(catching_up), asio::deferred));
    auto waited = both.async_wait(asio::experimental::wait_for_one(), asio::use_awaitable);
    const auto [order, broken, why, catch_up_broken] = co_await std::move(waited);
    const auto& first = order[0] == 0 ? broken : catch_up_broken;
    if (first) std::rethrow_exception(first);
    if (order[0] == 1)
        co_return core::failure{core::errc::stopped, "this process was deposed, and stands anew"};
    co_return why;
}

asio::awaitable<core::result<void>> listener::start(connection& c) {
    auto listening = co_await listen(c);
    if (!listening) co_return listening.error();
    co_return co_await probe(c);
}

asio::awaitable<bool> listener::hear_until_now(core::steady::time_point limit) {
    if (!status_.listening) co_return false;
    probe_heard_ = false;
    const auto left = std::chrono::duration_cast<core::milliseconds>(limit - steady::now());
    const auto sent = co_await notify_myself(left * 5 / 6, limit);
    while (sent && !probe_heard_ && status_.listening && steady::now() < limit)
        co_await heard_.wait_until(limit);
    co_return probe_heard_;
}

void listener::resign() {
    resigned_ = true;
    woken_.notify();
}

void listener::wake() {
    // Ready once more within a session: the catch-up has to run for the new lead.
    if (std::exchange(status_.live, false)) catch_up_.begin_session();
    catch_up_again_ = {};
    woken_.notify();
}

void listener::up(const connection& c) {
    const auto now = steady::now();
    const auto outage = std::chrono::duration_cast<core::milliseconds>(now - status_.since);
    if (ever_up_) {
        ++status_.reconnects;
        status_.outage = outage;
        core::log_info("postgres: reconnected to {} after {}", c.server(), core::format_duration(outage));
    } else {
        core::log_info("postgres: listening at {} to {}", c.server(), fmt::join(settings_.channels, ", "));
    }
    ever_up_ = true;
    failed_attempts_ = 0;
    status_.away += now - status_.since;
    status_.listening = true;
    status_.since = now;
    status_.last_error.clear();
    backoff_.reset();
    if (sink_.changed) sink_.changed();
}

void listener::down(const core::failure& why) {
    status_.last_error = why.message;
    status_.latency.reset();
    status_.live = false;
    status_.leads = false;
    status_.stands_by = false;
    if (!status_.listening) return;
    status_.listening = false;
    status_.since = steady::now();
    core::log_warning("postgres: connection lost: {}", why.message);
}

}  // namespace postrider::postgres
