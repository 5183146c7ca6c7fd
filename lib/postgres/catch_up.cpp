#include "postgres/catch_up.hpp"

#include <algorithm>

#include "core/log_line.hpp"
#include "postgres/connection.hpp"
#include "postgres/listener.hpp"

namespace postrider::postgres {
namespace {

using core::steady;

// What mending the query, and nothing else, would help against.
bool is_about_the_query(const core::failure& why) {
    return why.code == core::errc::server_error || why.code == core::errc::protocol;
}

}  // namespace

catch_up::catch_up(const listener_settings& settings, const listener_sink& sink)
    : settings_(settings), sink_(sink), done_(settings.catch_ups.size(), false) {}

void catch_up::begin_session() {
    done_.assign(done_.size(), false);
}

bool catch_up::complete() const {
    return std::find(done_.begin(), done_.end(), false) == done_.end();
}

asio::awaitable<core::result<void>> catch_up::run() {
    std::string last_refusal;
    for (std::size_t i = 0; i < done_.size(); ++i) {
        if (done_[i]) continue;
        auto ran = co_await run_one(i);
        if (ran) continue;
        error_ = ran.error().message;
        if (!is_about_the_query(ran.error())) co_return ran.error();
        refused(i, ran.error());
        last_refusal = error_;
    }
    error_ = std::move(last_refusal);
    co_return boost::system::in_place_value;
}

asio::awaitable<core::result<void>> catch_up::run_one(std::size_t i) {
    auto opened = co_await connection::open(settings_.conninfo, settings_.connect_timeout);
    if (!opened) co_return opened.error();
    auto& c = *opened;
    // The server ends a query that takes too long, and says so.
    parameters limit{std::to_string(settings_.catch_up_timeout.count())};
    auto limited = co_await c.query("SELECT set_config('statement_timeout', $1, false)", std::move(limit),
                                    steady::now() + settings_.connect_timeout);
    if (!limited) co_return limited.error();

    parameters since{sink_.since(i)};
    row_taker take = [this, i](const row& r) {
        if (!r.empty() && r[0]) sink_.caught_up(i, *r[0]);
    };
    auto sql = settings_.catch_ups[i];
    auto ran = co_await c.query_each(std::move(sql), std::move(since), std::move(take),
                                     steady::now() + settings_.catch_up_timeout + settings_.heartbeat_timeout,
                                     settings_.heartbeat_timeout);
    if (!ran) co_return ran.error();
    done_[i] = true;
    if (sink_.completed) sink_.completed(i);
    co_return boost::system::in_place_value;
}

void catch_up::refused(std::size_t i, const core::failure& why) {
    core::log_error(
        "postgres: the catch-up query failed, events of an outage may be missing: {}; mend catch_up in the "
        "route: {}",
        why.message, settings_.catch_ups[i]);
}

}  // namespace postrider::postgres
