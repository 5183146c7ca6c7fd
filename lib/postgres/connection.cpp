#include "postgres/connection.hpp"

#include <libpq-fe.h>
#include <openssl/ssl.h>

#include <algorithm>

#include "core/log_line.hpp"
#include "postgres/conninfo.hpp"

namespace postrider::postgres {
namespace {

using std::chrono::steady_clock;
using descriptor = asio::posix::stream_descriptor;
using answer_part = std::unique_ptr<PGresult, decltype(&PQclear)>;

// A server that ends an idle session says why in a notice, and only the notice receiver gets to see it.
void take_notice(void* farewell, const PGresult* r) {
    const auto words = one_line(PQresultErrorMessage(r));
    const char* severity = PQresultErrorField(r, PG_DIAG_SEVERITY_NONLOCALIZED);
    if (severity != nullptr &&
        (severity == std::string_view("FATAL") || severity == std::string_view("PANIC")))
        *static_cast<std::string*>(farewell) = words;
    core::log_debug("postgres: {}", words);
}

void hand_over(const PGresult* r, const row_taker& take) {
    for (int n = 0; n < PQntuples(r); ++n) {
        row columns;
        columns.reserve(static_cast<std::size_t>(PQnfields(r)));
        for (int column = 0; column < PQnfields(r); ++column) {
            auto& value = columns.emplace_back();
            if (PQgetisnull(r, n, column) == 0)
                value.emplace(PQgetvalue(r, n, column), static_cast<std::size_t>(PQgetlength(r, n, column)));
        }
        take(std::move(columns));
    }
}

}  // namespace

connection::connection(handle raw, descriptor socket, std::string server)
    : farewell_(std::make_unique<std::string>()),
      raw_(std::move(raw)),
      socket_(std::move(socket)),
      server_(std::move(server)) {
    PQsetNoticeReceiver(raw_.get(), &take_notice, farewell_.get());
    PQsetnonblocking(raw_.get(), 1);
}
connection::connection(connection&&) noexcept = default;
connection& connection::operator=(connection&& other) noexcept {
    socket_ = std::move(other.socket_);
    raw_ = std::move(other.raw_);
    farewell_ = std::move(other.farewell_);
    server_ = std::move(other.server_);
    refusal_ = std::move(other.refusal_);
    return *this;
}
connection::~connection() = default;

asio::awaitable<core::result<connection>> connection::open(std::string conninfo,
                                                           std::chrono::milliseconds a_host) {
    const auto executor = co_await asio::this_coro::executor;
    auto all = candidates(conninfo);
    if (!all) co_return all.error();
    core::failure why;
    for (auto& c : *all) {
        auto server = c.describe();
        auto raw = co_await connect(std::move(c), a_host);
        if (!raw) {
            why = raw.error();
            continue;
        }
        auto socket = watch(executor, raw->get());
        if (!socket) co_return socket.error();
        co_return connection(std::move(*raw), std::move(*socket), std::move(server));
    }
    co_return why;
}

core::failure connection::broken() const {
    auto words = *farewell_;
    if (words.empty()) words = one_line(PQerrorMessage(raw_.get()));
    if (words.empty()) words = "the connection ended";
    return {core::errc::connection_lost, server_ + ": " + words};
}

// It reads as well, because a server that is busy sending takes no data until somebody reads.
asio::awaitable<core::result<void>> connection::flush(net::deadline limit) {
    asio::steady_timer timer(socket_.get_executor(), limit);
    for (;;) {
        const int left = PQflush(raw_.get());
        if (left == 0) co_return boost::system::in_place_value;
        if (left < 0) co_return broken();
        auto race = asio::experimental::make_parallel_group(
            timer.async_wait(asio::deferred), socket_.async_wait(descriptor::wait_write, asio::deferred),
            socket_.async_wait(descriptor::wait_read, asio::deferred));
        auto waited = race.async_wait(asio::experimental::wait_for_one(), asio::use_awaitable);
        const auto outcome = co_await std::move(waited);
        const auto first = std::get<0>(outcome)[0];
        if (first == 0) co_return core::failure{core::errc::timeout, server_ + ": the server takes no data"};
        if (first == 2 && !consume()) co_return broken();
    }
}

asio::awaitable<core::result<void>> connection::receive(net::deadline limit) {
    const auto waited =
        co_await net::before(limit, socket_.async_wait(descriptor::wait_read, asio::deferred));
    if (waited == asio::error::timed_out)
        co_return core::failure{core::errc::timeout, server_ + ": no answer in time"};
    if (!consume()) co_return broken();
    co_return boost::system::in_place_value;
}

// An older libpq leaves a part of a large TLS record with OpenSSL, where it no longer makes the socket
// readable.
bool connection::consume() {
    auto* tls = static_cast<SSL*>(PQsslStruct(raw_.get(), "OpenSSL"));
    do {
        if (PQconsumeInput(raw_.get()) == 0) return false;
    } while (tls != nullptr && SSL_pending(tls) > 0);
    return true;
}

core::result<void> connection::send(const std::string& sql, const parameters& values) {
    std::vector<const char*> raw_values;
    for (const auto& v : values)
        raw_values.push_back(v ? v->c_str() : nullptr);
    if (PQsendQueryParams(raw_.get(), sql.c_str(), static_cast<int>(raw_values.size()), nullptr,
                          raw_values.data(), nullptr, nullptr, 0) == 0)
        return broken();
    return boost::system::in_place_value;
}

asio::awaitable<core::result<rows>> connection::query(std::string sql, parameters values, net::deadline limit,
                                                      std::chrono::milliseconds patience) {
    const auto sent = send(sql, values);
    if (!sent) co_return sent.error();
    rows answer;
    row_taker take = [&answer](row r) { answer.push_back(std::move(r)); };
    auto taken = co_await take_answer(std::move(take), limit, patience);
    if (!taken) co_return taken.error();
    co_return answer;
}

asio::awaitable<core::result<void>> connection::query_each(std::string sql, parameters values, row_taker take,
                                                           net::deadline limit,
                                                           std::chrono::milliseconds patience) {
    const auto sent = send(sql, values);
    if (!sent) co_return sent.error();
    // Otherwise libpq would gather the whole answer first.
    if (PQsetSingleRowMode(raw_.get()) == 0) co_return broken();
    co_return co_await take_answer(std::move(take), limit, patience);
}

asio::awaitable<core::result<void>> connection::script(std::string sql, net::deadline limit) {
    if (PQsendQuery(raw_.get(), sql.c_str()) == 0) co_return broken();
    row_taker drop = [](row) {};
    co_return co_await take_answer(std::move(drop), limit, std::chrono::milliseconds(0));
}

asio::awaitable<core::result<void>> connection::take_answer(row_taker take, net::deadline limit,
                                                            std::chrono::milliseconds patience) {
    auto flushed = co_await flush(limit);
    if (!flushed) co_return flushed.error();
    std::optional<core::failure> refused;
    for (;;) {
        while (PQisBusy(raw_.get()) != 0) {
            auto received = co_await receive(limit);
            if (!received) co_return received.error();
            const auto now = steady_clock::now();
            if (patience.count() > 0)
                limit = std::max(limit, now + patience);
            else if (now >= limit && PQisBusy(raw_.get()) != 0)
                co_return core::failure{core::errc::timeout, server_ + ": the answer takes too long"};
        }
        const answer_part part(PQgetResult(raw_.get()), &PQclear);
        if (!part) break;
        auto taken = take_part(part.get(), take);
        if (!taken) refused = taken.error();
        // libpq would offer the same part for ever, as nobody carries on with the COPY.
        if (refused && refused->code == core::errc::protocol) co_return *refused;
    }
    if (PQstatus(raw_.get()) == CONNECTION_BAD) {
        if (!refused) co_return broken();
        refused->code = core::errc::connection_lost;
    }
    if (refused) co_return *refused;
    co_return boost::system::in_place_value;
}

core::result<void> connection::take_part(const pg_result* part, const row_taker& take) {
    switch (PQresultStatus(part)) {
        case PGRES_TUPLES_OK:
        case PGRES_SINGLE_TUPLE:
        case PGRES_COMMAND_OK:
            hand_over(part, take);
            return boost::system::in_place_value;
        case PGRES_EMPTY_QUERY:
            return core::failure{core::errc::server_error, server_ + ": the statement is empty"};
        case PGRES_COPY_IN:
        case PGRES_COPY_OUT:
        case PGRES_COPY_BOTH:
            return core::failure{core::errc::protocol, server_ + ": COPY cannot be used here"};
        default:
            if (const char* code = PQresultErrorField(part, PG_DIAG_SQLSTATE)) refusal_ = code;
            return core::failure{core::errc::server_error, one_line(PQresultErrorMessage(part))};
    }
}

void connection::take_notifications(const std::function<void(std::string_view, std::string_view)>& take) {
    while (PGnotify* n = PQnotifies(raw_.get())) {
        const std::unique_ptr<PGnotify, decltype(&PQfreemem)> owned(n, &PQfreemem);
        take(n->relname, n->extra);
    }
}

core::result<std::string> connection::quote_identifier(std::string_view name) const {
    const std::unique_ptr<char, decltype(&PQfreemem)> quoted(
        PQescapeIdentifier(raw_.get(), name.data(), name.size()), &PQfreemem);
    if (!quoted) return core::failure{core::errc::invalid_input, one_line(PQerrorMessage(raw_.get()))};
    return std::string(quoted.get());
}

std::string connection::user() const {
    const char* name = PQuser(raw_.get());
    return name == nullptr ? "" : name;
}

}  // namespace postrider::postgres
