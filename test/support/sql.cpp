#include "support/sql.hpp"

#include <poll.h>

#include <chrono>
#include <stdexcept>
#include <utility>

#include "support/uninterrupted.hpp"

namespace postrider::support {
namespace {

constexpr std::chrono::seconds answer_limit(60);

[[noreturn]] void fail(const PGconn* connection) {
    throw std::runtime_error(std::string("sql: ") + PQerrorMessage(connection));
}

// Whether bytes, or the connection's end, are there to be read within the time.
bool readable(const PGconn* connection, std::chrono::milliseconds within) {
    pollfd watched{PQsocket(connection), POLLIN, 0};
    return uninterrupted([&] { return ::poll(&watched, 1, static_cast<int>(within.count())); }) > 0;
}

}  // namespace

sql::sql(std::string url) : url_(std::move(url)) {}

PGconn* sql::connected() {
    // The end of a connection shows only when it is read, after the words of goodbye; a quiet healthy one has
    // nothing to read.
    while (connection_ && readable(connection_.get(), std::chrono::milliseconds(0))) {
        if (PQconsumeInput(connection_.get()) == 0) break;
    }
    if (connection_ && PQstatus(connection_.get()) == CONNECTION_OK) return connection_.get();

    const char* names[] = {"dbname", "connect_timeout", "application_name", nullptr};
    const char* values[] = {url_.c_str(), "10", "postrider-test", nullptr};
    notify_prepared_ = false;
    connection_.reset(PQconnectdbParams(names, values, 1));
    if (PQstatus(connection_.get()) != CONNECTION_OK) fail(connection_.get());
    PQsetNoticeProcessor(
        connection_.get(), [](void*, const char*) {}, nullptr);
    return connection_.get();
}

sql::result sql::finish(int sent) {
    PGconn* connection = connection_.get();
    if (sent == 0) fail(connection);
    const auto deadline = std::chrono::steady_clock::now() + answer_limit;
    result last;
    std::string error;
    for (;;) {
        while (PQisBusy(connection) != 0) {
            const auto left =
                std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
            if (left.count() <= 0 || !readable(connection, left)) {
                connection_.reset();
                throw std::runtime_error("sql: no answer within 60 s");
            }
            if (PQconsumeInput(connection) == 0) fail(connection);
        }
        result next(PQgetResult(connection));
        if (!next) break;
        last = std::move(next);
        const ExecStatusType status = PQresultStatus(last.get());
        const bool good =
            status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK || status == PGRES_EMPTY_QUERY;
        if (!good && error.empty()) error = PQresultErrorMessage(last.get());
    }
    if (!error.empty()) throw std::runtime_error("sql: " + error);
    if (!last) fail(connection);
    return last;
}

void sql::run(std::string_view text) {
    PGconn* connection = connected();
    finish(PQsendQuery(connection, std::string(text).c_str()));
}

std::vector<std::vector<std::string>> sql::rows(std::string_view text,
                                                const std::vector<std::string>& parameters) {
    PGconn* connection = connected();
    std::vector<const char*> values;
    for (const std::string& each : parameters)
        values.push_back(each.c_str());
    const result got =
        finish(PQsendQueryParams(connection, std::string(text).c_str(), static_cast<int>(values.size()),
                                 nullptr, values.data(), nullptr, nullptr, 0));
    std::vector<std::vector<std::string>> all(static_cast<std::size_t>(PQntuples(got.get())));
    for (std::size_t row = 0; row < all.size(); ++row) {
        for (int column = 0; column < PQnfields(got.get()); ++column) {
            const int at = static_cast<int>(row);
            const auto size = static_cast<std::size_t>(PQgetlength(got.get(), at, column));
            all[row].emplace_back(PQgetvalue(got.get(), at, column), size);
        }
    }
    return all;
}

void sql::notify(std::string_view channel, std::string_view payload) {
    PGconn* connection = connected();
    if (!notify_prepared_) {
        finish(PQsendPrepare(connection, "notify", "SELECT pg_notify($1, $2)", 0, nullptr));
        notify_prepared_ = true;
    }
    const std::string name(channel);
    const std::string text(payload);
    const char* values[] = {name.c_str(), text.c_str()};
    finish(PQsendQueryPrepared(connection, "notify", 2, values, nullptr, nullptr, 0));
}

}  // namespace postrider::support
