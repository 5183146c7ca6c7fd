#include "postgres/connect.hpp"

#include <fcntl.h>
#include <libpq-fe.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "core/log_line.hpp"
#include "net/resolve.hpp"

namespace postrider::postgres {
namespace {

using std::chrono::steady_clock;
using descriptor = asio::posix::stream_descriptor;

void log_notice(void*, const PGresult* r) {
    core::log_debug("postgres: {}", one_line(PQresultErrorMessage(r)));
}

core::errc classify(std::string_view words) {
    const auto says = [&](std::string_view part) { return words.find(part) != std::string_view::npos; };
    if (says("Connection refused") || says("No such file or directory")) return core::errc::refused;
    if (says("password authentication failed") || says("no password supplied") || says("pg_hba.conf"))
        return core::errc::authentication;
    if (says("certificate") || says("SSL")) return core::errc::tls;
    return core::errc::connection_lost;
}

handle start(const candidate& c, const std::string& address) {
    std::vector<std::pair<std::string, std::string>> all = c.parameters;
    // A literal address keeps libpq from looking the name up itself, which would block.
    if (!address.empty()) all.emplace_back("hostaddr", address);
    const std::pair<const char*, const char*> ours[] = {{"fallback_application_name", "postrider"},
                                                        {"client_encoding", "UTF8"},
                                                        {"keepalives", "1"},
                                                        {"keepalives_idle", "30"},
                                                        {"keepalives_interval", "5"},
                                                        {"keepalives_count", "3"}};
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
    return handle(PQconnectStartParams(keywords.data(), values.data(), 0));
}

// Drives PQconnectPoll, each step on a fresh duplicate of the socket.
asio::awaitable<core::result<void>> finish_connect(PGconn* raw, net::deadline limit) {
    const auto executor = co_await asio::this_coro::executor;
    auto step = PGRES_POLLING_WRITING;
    while (step != PGRES_POLLING_OK) {
        if (step == PGRES_POLLING_FAILED || PQstatus(raw) == CONNECTION_BAD) {
            auto words = one_line(PQerrorMessage(raw));
            const auto code = classify(words);
            co_return core::failure{code, std::move(words)};
        }
        auto socket = watch(executor, raw);
        if (!socket) co_return socket.error();
        const auto what = step == PGRES_POLLING_READING ? descriptor::wait_read : descriptor::wait_write;
        const auto waited = co_await net::before(limit, socket->async_wait(what, asio::deferred));
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
    for (const auto& [keyword, value] : c.parameters)
        has_address = has_address || keyword == "hostaddr";
    if (has_address) co_return as_it_is;
    co_return co_await net::resolve(c.host, limit);
}

}  // namespace

void finisher::operator()(pg_conn* c) const {
    PQfinish(c);
}

asio::awaitable<core::result<handle>> connect(candidate to, std::chrono::milliseconds a_host) {
    const auto limit = steady_clock::now() + a_host;
    const auto where = to.describe();
    const auto found = co_await addresses(to, limit);
    if (!found) co_return core::failure{found.error().code, where + ": " + found.error().message};
    core::failure why;
    for (std::size_t i = 0; i < found->size(); ++i) {
        // An address that swallows everything must not use up the time of those behind it.
        const auto now = steady_clock::now();
        const auto share = (limit - now) / static_cast<std::int64_t>(found->size() - i);
        auto raw = start(to, (*found)[i]);
        if (!raw) co_return core::failure{core::errc::connection_lost, where + ": out of memory"};
        PQsetNoticeReceiver(raw.get(), &log_notice, nullptr);
        auto finished = co_await finish_connect(raw.get(), now + share);
        if (finished) co_return std::move(raw);
        why = finished.error();
    }
    why.message = where + ": " + why.message;
    co_return why;
}

// libpq ends its messages with line feeds, and puts details on lines of their own.
std::string one_line(const char* words) {
    std::string text = words != nullptr ? words : "";
    while (!text.empty() && (text.back() == '\n' || text.back() == ' '))
        text.pop_back();
    for (auto& c : text)
        if (c == '\n' || c == '\t') c = ' ';
    return text;
}

core::result<descriptor> watch(const asio::any_io_executor& executor, const pg_conn* c) {
    const int fd = ::fcntl(PQsocket(c), F_DUPFD_CLOEXEC, 0);
    error_code refused(errno, boost::system::generic_category());
    descriptor socket(executor);
    if (fd >= 0) {
        socket.assign(fd, refused);
        if (!refused) return core::result<descriptor>(std::move(socket));
        ::close(fd);
    }
    return core::failure{core::errc::connection_lost, "the socket cannot be watched: " + refused.message()};
}

}  // namespace postrider::postgres
