#include "postgres/connection.hpp"

#include <fcntl.h>
#include <libpq-fe.h>
#include <spdlog/spdlog.h>

#include "net/resolve.hpp"
#include "postgres/conninfo.hpp"

namespace postrider::postgres {
namespace {

using descriptor = asio::posix::stream_descriptor;
using handle = std::unique_ptr<PGconn, decltype(&PQfinish)>;

// libpq ends its messages with line feeds, and puts details on lines of their own.
std::string one_line(const char* words) {
    std::string text = words != nullptr ? words : "";
    while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
    for (auto& c : text)
        if (c == '\n' || c == '\t') c = ' ';
    return text;
}

int duplicate(int fd) { return ::fcntl(fd, F_DUPFD_CLOEXEC, 0); }

void log_notice(void*, const PGresult* r) { spdlog::debug("postgres: {}", one_line(PQresultErrorMessage(r))); }

core::errc classify_connect_error(std::string_view words) {
    const auto says = [&](std::string_view part) { return words.find(part) != std::string_view::npos; };
    if (says("Connection refused")) return core::errc::refused;
    if (says("password authentication failed") || says("no password supplied") || says("pg_hba.conf"))
        return core::errc::authentication;
    if (says("certificate") || says("SSL")) return core::errc::tls;
    return core::errc::connection_lost;
}

handle start(const candidate& c, const std::string& address) {
    std::vector<std::pair<std::string, std::string>> all = c.parameters;
    // A literal address keeps libpq from looking the name up itself, which would block.
    if (!address.empty()) all.emplace_back("hostaddr", address);
    const std::pair<const char*, const char*> ours[] = {
        {"fallback_application_name", "postrider"}, {"client_encoding", "UTF8"}, {"keepalives", "1"},
        {"keepalives_idle", "30"},                  {"keepalives_interval", "5"}, {"keepalives_count", "3"}};
    std::vector<const char*> keywords;
    std::vector<const char*> values;
    for (const auto& [k, v] : ours) {
        keywords.push_back(k);
        values.push_back(v);
    }
    // libpq takes the last of two equal keywords, so the user's own values stand behind ours.
    for (const auto& [k, v] : all) {
        keywords.push_back(k.c_str());
        values.push_back(v.c_str());
    }
    keywords.push_back(nullptr);
    values.push_back(nullptr);
    return {PQconnectStartParams(keywords.data(), values.data(), 0), &PQfinish};
}

// Drives PQconnectPoll. libpq may close and reopen its socket under the same number in between, so every step
// waits on a fresh duplicate.
asio::awaitable<core::result<void>> finish_connect(PGconn* raw, net::deadline limit) {
    const auto executor = co_await asio::this_coro::executor;
    auto step = PGRES_POLLING_WRITING;
    while (step != PGRES_POLLING_OK) {
        if (step == PGRES_POLLING_FAILED || PQstatus(raw) == CONNECTION_BAD) {
            auto words = one_line(PQerrorMessage(raw));
            const auto code = classify_connect_error(words);
            co_return core::failure{code, std::move(words)};
        }
        descriptor socket(executor, duplicate(PQsocket(raw)));
        const auto what = step == PGRES_POLLING_READING ? descriptor::wait_read : descriptor::wait_write;
        const auto waited = co_await net::before(limit, socket.async_wait(what, asio::deferred));
        if (waited == asio::error::timed_out)
            co_return core::failure{core::errc::timeout, "no answer while connecting"};
        step = PQconnectPoll(raw);
    }
    co_return boost::system::in_place_value;
}

// The addresses to try for one candidate; {""} leaves the choice to libpq (sockets, service files, hostaddr).
asio::awaitable<core::result<std::vector<std::string>>> addresses(const candidate& c, net::deadline limit) {
    std::vector<std::string> as_it_is(1);
    bool has_address = c.host.empty() || c.host.front() == '/' || c.host.front() == '@';
    for (const auto& [keyword, value] : c.parameters) has_address = has_address || keyword == "hostaddr";
    if (has_address) co_return as_it_is;
    co_return co_await net::resolve(c.host, limit);
}

struct opened {
    handle raw{nullptr, &PQfinish};
    core::failure why;
};

asio::awaitable<opened> open_one(candidate c, std::chrono::milliseconds a_host) {
    opened outcome;
    const auto limit = std::chrono::steady_clock::now() + a_host;
    const auto where = c.describe();
    auto found = co_await addresses(c, limit);
    if (!found) {
        outcome.why = std::move(found.error());
        co_return outcome;
    }
    for (const auto& address : *found) {
        auto raw = start(c, address);
        if (!raw) {
            outcome.why = core::failure{core::errc::connection_lost, "out of memory"};
            co_return outcome;
        }
        PQsetNoticeReceiver(raw.get(), &log_notice, nullptr);
        auto finished = co_await finish_connect(raw.get(), limit);
        if (finished) {
            outcome.raw = std::move(raw);
            co_return outcome;
        }
        outcome.why = std::move(finished.error());
        if (outcome.why.message.find(where) == std::string::npos)
            outcome.why.message = where + ": " + outcome.why.message;
    }
    co_return outcome;
}

}  // namespace

void connection::closer::operator()(pg_conn* c) const { PQfinish(c); }

connection::connection(pg_conn* raw, descriptor socket, std::string server)
    : raw_(raw), socket_(std::move(socket)), server_(std::move(server)) {}
connection::connection(connection&&) noexcept = default;
connection& connection::operator=(connection&& other) noexcept {
    socket_ = std::move(other.socket_);
    raw_ = std::move(other.raw_);
    server_ = std::move(other.server_);
    return *this;
}
connection::~connection() = default;

asio::awaitable<core::result<connection>> connection::open(std::string conninfo, std::chrono::milliseconds a_host) {
    const auto executor = co_await asio::this_coro::executor;
    auto all = candidates(conninfo);
    if (!all) co_return all.error();
    core::failure why;
    for (auto& c : *all) {
        auto server = c.describe();
        auto outcome = co_await open_one(std::move(c), a_host);
        if (!outcome.raw) {
            why = std::move(outcome.why);
            continue;
        }
        PQsetnonblocking(outcome.raw.get(), 1);
        descriptor socket(executor, duplicate(PQsocket(outcome.raw.get())));
        co_return connection(outcome.raw.release(), std::move(socket), std::move(server));
    }
    co_return why;
}

core::failure connection::broken() const {
    auto words = one_line(PQerrorMessage(raw_.get()));
    if (words.empty()) words = "the connection ended";
    return {core::errc::connection_lost, std::move(words)};
}

asio::awaitable<core::result<void>> connection::flush(net::deadline limit) {
    for (;;) {
        const int left = PQflush(raw_.get());
        if (left == 0) co_return boost::system::in_place_value;
        if (left < 0) co_return broken();
        const auto waited = co_await net::before(limit, socket_.async_wait(descriptor::wait_write, asio::deferred));
        if (waited) co_return core::failure{core::errc::timeout, "the server takes no data"};
    }
}

asio::awaitable<core::result<void>> connection::receive(net::deadline limit) {
    const auto waited = co_await net::before(limit, socket_.async_wait(descriptor::wait_read, asio::deferred));
    if (waited == asio::error::timed_out) co_return core::failure{core::errc::timeout, "no answer in time"};
    if (PQconsumeInput(raw_.get()) == 0) co_return broken();
    co_return boost::system::in_place_value;
}

void connection::interrupt() {
    error_code ignored;
    socket_.cancel(ignored);
}

asio::awaitable<core::result<rows>> connection::query(std::string sql, parameters values, net::deadline limit) {
    std::vector<const char*> raw_values;
    for (const auto& v : values) raw_values.push_back(v ? v->c_str() : nullptr);
    if (PQsendQueryParams(raw_.get(), sql.c_str(), static_cast<int>(raw_values.size()), nullptr, raw_values.data(),
                          nullptr, nullptr, 0) == 0)
        co_return broken();
    auto flushed = co_await flush(limit);
    if (!flushed) co_return flushed.error();

    rows answer;
    core::failure refused;
    bool failed = false;
    for (;;) {
        while (PQisBusy(raw_.get()) != 0) {
            auto received = co_await receive(limit);
            if (!received) co_return received.error();
        }
        const std::unique_ptr<PGresult, decltype(&PQclear)> r(PQgetResult(raw_.get()), &PQclear);
        if (!r) break;
        const auto status = PQresultStatus(r.get());
        if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) {
            failed = true;
            refused = core::failure{core::errc::server_error, one_line(PQresultErrorMessage(r.get()))};
            continue;
        }
        for (int row = 0; row < PQntuples(r.get()); ++row) {
            auto& columns = answer.emplace_back();
            for (int column = 0; column < PQnfields(r.get()); ++column) {
                auto& value = columns.emplace_back();
                if (PQgetisnull(r.get(), row, column) == 0)
                    value.emplace(PQgetvalue(r.get(), row, column),
                                  static_cast<std::size_t>(PQgetlength(r.get(), row, column)));
            }
        }
    }
    if (PQstatus(raw_.get()) == CONNECTION_BAD) {
        if (!failed) refused = broken();
        refused.code = core::errc::connection_lost;
        co_return refused;
    }
    if (failed) co_return refused;
    co_return answer;
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

}  // namespace postrider::postgres
