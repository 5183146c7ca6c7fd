// The listener's session: what it says to the server, and what it hears.

#include <algorithm>
#include <charconv>
#include <random>

#include "core/duration.hpp"
#include "core/log_line.hpp"
#include "core/token.hpp"
#include "postgres/listener.hpp"

namespace postrider::postgres {

using core::steady;

// In one transaction, so that every event heard behind the marker has been numbered by everybody; what comes
// before it was committed before the LISTEN.
asio::awaitable<core::result<void>> listener::listen(connection& c) {
    marker_ = core::random_token();
    std::vector<std::string> statements{"BEGIN"};
    for (const auto& channel : all_channels()) {
        const auto quoted = c.quote_identifier(channel);
        if (!quoted) co_return quoted.error();
        statements.push_back("LISTEN " + *quoted);
    }
    const auto where = c.quote_identifier(marker_channel());
    if (!where) co_return where.error();
    statements.push_back("NOTIFY " + *where + ", '" + marker_ + "'");
    statements.emplace_back("COMMIT");
    for (auto& statement : statements) {
        parameters none;
        auto done = co_await c.query(std::move(statement), std::move(none),
                                     steady::now() + settings_.connect_timeout);
        if (!done) co_return done.error();
    }
    drain(c);
    if (election_.contested()) {
        auto prepared = co_await election_.prepare(
            c, settings_.heartbeat + settings_.heartbeat_timeout + settings_.stand_interval,
            steady::now() + settings_.connect_timeout);
        if (!prepared) co_return prepared.error();
    }
    auto identified = co_await election_.identify(c, steady::now() + settings_.connect_timeout);
    if (!identified) co_return identified.error();
    id_ = std::move(*identified);
    co_return co_await beat(c);
}

const std::string& listener::marker_channel() const {
    return election_channel_.empty() ? probe_channel_ : election_channel_;
}

std::vector<std::string> listener::all_channels() const {
    auto all = settings_.channels;
    all.push_back(probe_channel_);
    if (election_.contested()) all.push_back(election_channel_);
    // Postgres counts a channel once, however often it is listened to.
    std::sort(all.begin(), all.end());
    all.erase(std::unique(all.begin(), all.end()), all.end());
    return all;
}

// The second connection matters: behind a transaction pooler the notification reaches whoever uses that
// server connection next, and that may well be the sender itself.
asio::awaitable<core::result<void>> listener::notify_myself(core::milliseconds to_connect,
                                                            net::deadline limit) {
    auto second = co_await connection::open(settings_.conninfo, to_connect);
    if (!second) co_return second.error();
    parameters channel{probe_channel_};
    auto sent = co_await second->query("SELECT pg_notify($1, '')", std::move(channel), limit);
    if (!sent) co_return sent.error();
    co_return boost::system::in_place_value;
}

asio::awaitable<core::result<void>> listener::probe(connection& c) {
    probe_heard_ = false;
    auto sent =
        co_await notify_myself(settings_.connect_timeout, steady::now() + 2 * settings_.connect_timeout);
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

asio::awaitable<core::failure> listener::serve(connection& c) {
    auto beat_at = steady::now() + settings_.heartbeat;
    auto stand_at = steady::now();
    for (;;) {
        const auto now = steady::now();
        if (part_ != part::leader && now >= stand_at) {
            auto stood = co_await stand(c);
            if (!stood) co_return stood.error();
            stand_at = now + settings_.stand_interval;
        }
        if (now >= beat_at) {
            auto alive = co_await beat(c);
            if (!alive) co_return alive.error();
            beat_at = steady::now() + settings_.heartbeat;
        }
        const auto limit = part_ == part::leader ? beat_at : std::min(beat_at, stand_at);
        auto received = co_await c.receive(limit);
        drain(c);
        if (!received && received.error().code != core::errc::timeout) co_return received.error();
    }
}

asio::awaitable<core::result<void>> listener::stand(connection& c) {
    bool won = true;
    if (election_.contested()) {
        const auto stood = co_await stand_in_order(c, steady::now() + settings_.heartbeat_timeout);
        drain(c);
        if (!stood) co_return half_open(c, stood.error());
        won = *stood;
    }
    if (won) {
        part_ = part::leader;
        status_.leads = true;
        status_.stands_by = false;
        led_as_ = id_;
        sink_.elected(id_.process);
        woken_.notify();
    } else if (part_ == part::unknown) {
        auto former = co_await is_held_by_former_session(c);
        drain(c);
        if (!former) co_return former.error();
        if (*former) co_return boost::system::in_place_value;
        led_as_.reset();
        part_ = part::standby;
        status_.stands_by = true;
        sink_.stand_by();
    }
    co_return boost::system::in_place_value;
}

// To stand by for itself would be to drop what only this process has.
asio::awaitable<core::result<bool>> listener::is_held_by_former_session(connection& c) {
    if (!led_as_) co_return false;
    auto former = *led_as_;
    const auto another = co_await election_.is_held_by_another(c, std::move(former),
                                                               steady::now() + settings_.heartbeat_timeout);
    if (another) co_return !*another;
    // Who may not ask does not know, and another may lead.
    if (another.error().code == core::errc::server_error) co_return false;
    co_return half_open(c, another.error());
}

// A process that has just started would take the lead past what only a standby has heard.
asio::awaitable<core::result<bool>> listener::stand_in_order(connection& c, net::deadline limit) {
    if (!is_heir_ && !sink_.in_sync()) co_return co_await election_.stand_behind_heirs(c, limit);
    if (!is_heir_) {
        const auto became = co_await election_.become_heir(c, limit);
        if (!became) co_return became.error();
        is_heir_ = *became;
    }
    co_return co_await election_.stand(c, limit);
}

// Returns only after resign(). A query that Postgres refuses does not keep the live events back, and
// is tried again after a heartbeat's time; a connection that fails does, because the next may well succeed.
asio::awaitable<void> listener::go_live_when_caught_up() {
    core::backoff pauses(settings_.backoff_first, settings_.backoff_cap, std::random_device{}());
    while (!resigned_) {
        if (!sink_.ready() || (status_.live && catch_up_.complete())) {
            co_await woken_.wait();
            continue;
        }
        if (steady::now() < catch_up_again_) {
            co_await woken_.wait_until(catch_up_again_);
            continue;
        }
        auto ran = co_await catch_up_.run();
        status_.catch_up_error = catch_up_.error();
        if (ran) {
            pauses.reset();
            catch_up_again_ = steady::now() + settings_.heartbeat;
            // The sink may have been deposed meanwhile: what is held back belongs to the next leader then.
            if (sink_.ready() && !std::exchange(status_.live, true)) sink_.live();
        } else {
            const auto wait = pauses.next();
            core::log_warning("postgres: the catch-up broke off: {}; again in {}", ran.error().message,
                              core::format_duration(wait));
            catch_up_again_ = steady::now() + wait;
        }
    }
}

core::failure listener::half_open(const connection& c, core::failure why) const {
    if (why.code == core::errc::timeout)
        why.message = c.server() + ": the connection is half open: no answer to a heartbeat within " +
                      core::format_duration(settings_.heartbeat_timeout);
    return why;
}

// Asks the listening session itself, and for its channels: a pooler or a DISCARD ALL may have taken them
// away.
asio::awaitable<core::result<void>> listener::beat(connection& c) {
    const auto asked = steady::now();
    parameters none;
    // After a pause of this process the answer may stand behind many notifications.
    auto answer =
        co_await c.query("SELECT count(*), pg_notification_queue_usage() FROM pg_listening_channels()",
                         std::move(none), asked + settings_.heartbeat_timeout, settings_.heartbeat_timeout);
    drain(c);
    if (!answer) co_return half_open(c, answer.error());
    status_.latency = std::chrono::duration_cast<std::chrono::microseconds>(steady::now() - asked);
    const auto expected = std::to_string(all_channels().size());
    if (answer->empty() || answer->front().front() != expected)
        co_return core::failure{core::errc::protocol,
                                c.server() + ": the session no longer listens to all " + expected +
                                    " channels; a pooler may have handed it to another server connection"};
    const auto& usage = answer->front()[1];
    if (usage) std::from_chars(usage->data(), usage->data() + usage->size(), status_.queue_usage);
    co_return boost::system::in_place_value;
}

void listener::drain(connection& c) {
    c.take_notifications(
        [this](std::string_view channel, std::string_view payload) { take(channel, payload); });
}

void listener::take(std::string_view channel, std::string_view payload) {
    if (channel == marker_channel() && payload == marker_) {
        marker_heard_ = true;
        sink_.began();
        sink_.marked(payload);
    } else if (channel == probe_channel_) {
        probe_heard_ = true;
        heard_.notify();
    } else if (!marker_heard_) {
        // Committed before the LISTEN was.
    } else if (channel == marker_channel()) {
        sink_.marked(payload);
    } else {
        sink_.notified(channel, payload);
    }
}

}  // namespace postrider::postgres
