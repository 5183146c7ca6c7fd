#include "postgres/listener.hpp"

#include <fmt/ranges.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <random>

#include "core/duration.hpp"

namespace postrider::postgres {
namespace {

using core::steady;

// Sets a pointer for a while, also where a cancellation unwinds.
class pointed {
 public:
    pointed(connection*& pointer, connection& to) : pointer_(pointer) { pointer_ = &to; }
    pointed(const pointed&) = delete;
    pointed& operator=(const pointed&) = delete;
    ~pointed() { pointer_ = nullptr; }

 private:
    connection*& pointer_;
};

void remove_repeats(std::vector<std::string>& names) {
    std::sort(names.begin(), names.end());
    names.erase(std::unique(names.begin(), names.end()), names.end());
}

std::uint64_t random_seed() {
    std::random_device device;
    return (std::uint64_t{device()} << 32) | device();
}

}  // namespace

listener::listener(const asio::any_io_executor& executor, listener_settings settings, listener_sink sink)
    : executor_(executor),
      settings_(std::move(settings)),
      sink_(std::move(sink)),
      backoff_(settings_.backoff_first, settings_.backoff_cap, random_seed()) {
    status_.since = steady::now();
    // Postgres counts a channel once, however often it is listened to.
    remove_repeats(settings_.channels);
    since_.resize(settings_.catch_ups.size());
    probe_channel_ = fmt::format("postrider_probe_{:016x}", random_seed());
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
        if (sink_.changed) sink_.changed();
        const auto wait = backoff_.next();
        if (!was_up)
            spdlog::error("postgres: attempt {} failed: {}; next in {}", ++failed_attempts_, why.message,
                          core::format_duration(wait));
        pause.expires_after(wait);
        co_await pause.async_wait(asio::use_awaitable);
    }
}

asio::awaitable<core::failure> listener::session() {
    live_ = false;
    caught_up_.assign(settings_.catch_ups.size(), false);
    auto opened = co_await connection::open(settings_.conninfo, settings_.connect_timeout);
    if (!opened) co_return opened.error();
    auto& c = *opened;
    auto why = co_await use(c);
    drain(c);
    // With a catch-up, what was held back waits for the next one, which brings the older events first.
    if (settings_.catch_ups.empty() && sink_.ready()) go_live();
    co_return why;
}

asio::awaitable<core::failure> listener::use(connection& c) {
    auto started = co_await start(c);
    if (!started) co_return started.error();
    up(c);
    const pointed here(current_, c);
    co_return co_await serve(c);
}

asio::awaitable<core::result<void>> listener::start(connection& c) {
    auto listening = co_await listen(c);
    if (!listening) co_return listening.error();
    co_return co_await probe(c);
}

asio::awaitable<core::result<void>> listener::listen(connection& c) {
    auto all = settings_.channels;
    all.push_back(probe_channel_);
    for (const auto& channel : all) {
        const auto quoted = c.quote_identifier(channel);
        if (!quoted) co_return quoted.error();
        std::string statement = "LISTEN " + *quoted;
        parameters none;
        auto done = co_await c.query(std::move(statement), std::move(none),
                                     steady::now() + settings_.connect_timeout);
        if (!done) co_return done.error();
    }
    co_return co_await beat(c);
}

// The second connection matters: behind a transaction pooler the notification reaches whoever uses that
// server connection next, and that may well be the sender itself.
asio::awaitable<core::result<void>> listener::probe(connection& c) {
    probe_heard_ = false;
    auto second = co_await connection::open(settings_.conninfo, settings_.connect_timeout);
    if (!second) co_return second.error();
    parameters channel{probe_channel_};
    auto sent = co_await second->query("SELECT pg_notify($1, '')", std::move(channel),
                                       steady::now() + settings_.connect_timeout);
    if (!sent) co_return sent.error();
    const auto limit = steady::now() + settings_.probe_timeout;
    for (;;) {
        drain(c);
        if (probe_heard_) co_return boost::system::in_place_value;
        auto received = co_await c.receive(limit);
        if (received) continue;
        if (received.error().code != core::errc::timeout) co_return received.error();
        co_return core::failure{
            core::errc::protocol,
            c.server() + ": LISTEN succeeded, but a notification to myself did not come back within " +
                core::format_duration(settings_.probe_timeout) +
                ": this looks like a transaction pooler (PgBouncer with pool_mode=transaction, Supabase's "
                "port "
                "6543); use the direct connection or a session pooler (Supabase's port 5432)"};
    }
}

// A query that Postgres refuses does not keep the live events back; it is tried again after a heartbeat's
// time.
asio::awaitable<core::result<void>> listener::catch_up(connection& c) {
    status_.catch_up_error.clear();
    if (std::find(caught_up_.begin(), caught_up_.end(), false) == caught_up_.end())
        co_return boost::system::in_place_value;
    // The server ends a query that takes too long; ending the session instead would begin it anew for ever.
    parameters limit{std::to_string(settings_.catch_up_timeout.count())};
    auto limited = co_await c.query("SELECT set_config('statement_timeout', $1, false)", std::move(limit),
                                    steady::now() + settings_.heartbeat_timeout);
    if (!limited) co_return limited.error();
    for (std::size_t i = 0; i < settings_.catch_ups.size(); ++i) {
        if (caught_up_[i]) continue;
        auto done = co_await catch_up_one(c, i);
        if (!done) co_return done.error();
    }
    parameters none;
    auto reset = co_await c.query("RESET statement_timeout", std::move(none),
                                  steady::now() + settings_.heartbeat_timeout);
    drain(c);
    if (!reset) co_return reset.error();
    co_return boost::system::in_place_value;
}

asio::awaitable<core::result<void>> listener::catch_up_one(connection& c, std::size_t i) {
    if (!since_[i]) since_[i] = sink_.since(i);
    parameters since{since_[i]};
    auto sql = settings_.catch_ups[i];
    auto found = co_await c.query(std::move(sql), std::move(since),
                                  steady::now() + settings_.catch_up_timeout + settings_.heartbeat_timeout);
    drain(c);
    if (!found && found.error().code != core::errc::server_error) co_return found.error();
    if (!found) {
        status_.catch_up_error = found.error().message;
        spdlog::error(
            "postgres: the catch-up query failed, events of an outage may be missing: {}; mend catch_up in "
            "the "
            "route: {}",
            found.error().message, settings_.catch_ups[i]);
        co_return boost::system::in_place_value;
    }
    for (const auto& row : *found)
        if (!row.empty() && row[0]) sink_.caught_up(i, *row[0]);
    caught_up_[i] = true;
    since_[i].reset();
    if (sink_.completed) sink_.completed(i);
    co_return boost::system::in_place_value;
}

asio::awaitable<core::failure> listener::serve(connection& c) {
    auto next_try = steady::now();
    for (;;) {
        if (sink_.ready() && steady::now() >= next_try) {
            auto caught = co_await catch_up(c);
            if (!caught) co_return caught.error();
            if (!live_) go_live();
            next_try = steady::now() + settings_.heartbeat;
        }
        auto received = co_await c.receive(steady::now() + settings_.heartbeat);
        drain(c);
        if (received) continue;
        if (received.error().code != core::errc::timeout) co_return received.error();
        auto alive = co_await beat(c);
        if (!alive) co_return alive.error();
    }
}

// Asks the listening session itself, and for its channels: a pooler or a DISCARD ALL may have taken them
// away.
asio::awaitable<core::result<void>> listener::beat(connection& c) {
    const auto asked = steady::now();
    parameters none;
    // After a pause of this process the answer may stand behind many notifications.
    auto answer = co_await c.query("SELECT count(*) FROM pg_listening_channels()", std::move(none),
                                   asked + settings_.heartbeat_timeout, settings_.heartbeat_timeout);
    drain(c);
    if (!answer) {
        auto why = answer.error();
        if (why.code == core::errc::timeout)
            why.message = c.server() + ": the connection is half open: no answer to a heartbeat within " +
                          core::format_duration(settings_.heartbeat_timeout);
        co_return why;
    }
    status_.latency = std::chrono::duration_cast<std::chrono::microseconds>(steady::now() - asked);
    const auto expected = std::to_string(settings_.channels.size() + 1);
    if (answer->empty() || answer->front().front() != expected)
        co_return core::failure{core::errc::protocol,
                                c.server() + ": the session no longer listens to all " + expected +
                                    " channels; a pooler may have handed it to another server connection"};
    co_return boost::system::in_place_value;
}

void listener::drain(connection& c) {
    c.take_notifications([this](std::string_view channel, std::string_view payload) {
        if (channel == probe_channel_)
            probe_heard_ = true;
        else if (live_)
            sink_.notified(channel, payload);
        else
            held_.emplace_back(channel, payload);
    });
}

void listener::wake() {
    if (current_ != nullptr) current_->interrupt();
}

void listener::go_live() {
    live_ = true;
    for (const auto& [channel, payload] : held_)
        sink_.notified(channel, payload);
    held_.clear();
    held_.shrink_to_fit();
}

void listener::up(const connection& c) {
    const auto now = steady::now();
    const auto outage = std::chrono::duration_cast<core::milliseconds>(now - status_.since);
    if (ever_up_) {
        ++status_.reconnects;
        status_.outage = outage;
        spdlog::info("postgres: reconnected to {} after {}", c.server(), core::format_duration(outage));
    } else {
        spdlog::info("postgres: listening at {} to {}", c.server(), fmt::join(settings_.channels, ", "));
    }
    ever_up_ = true;
    failed_attempts_ = 0;
    status_.listening = true;
    status_.since = now;
    status_.last_error.clear();
    backoff_.reset();
    if (sink_.changed) sink_.changed();
}

void listener::down(const core::failure& why) {
    status_.last_error = why.message;
    status_.latency.reset();
    if (!status_.listening) return;
    status_.listening = false;
    status_.since = steady::now();
    spdlog::warn("postgres: connection lost: {}", why.message);
}

}  // namespace postrider::postgres
