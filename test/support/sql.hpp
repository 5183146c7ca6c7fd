#pragma once

#include <libpq-fe.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace postrider::support {

// One blocking connection to Postgres, opened by the first call and opened again by the next call after it
// broke. Every failure, and no answer within 60 s, throws std::runtime_error with the server's words.
class sql {
 public:
    explicit sql(std::string url);

    // Runs one or several statements separated by semicolons.
    void run(std::string_view text);
    // Runs one statement with text parameters $1, $2 …; NULL comes back as "".
    std::vector<std::vector<std::string>> rows(std::string_view text,
                                               const std::vector<std::string>& parameters = {});
    // SELECT pg_notify(channel, payload), prepared.
    void notify(std::string_view channel, std::string_view payload);

 private:
    struct close {
        void operator()(PGconn* connection) const { PQfinish(connection); }
        void operator()(PGresult* result) const { PQclear(result); }
    };
    using result = std::unique_ptr<PGresult, close>;

    PGconn* connected();
    result finish(int sent);

    std::string url_;
    std::unique_ptr<PGconn, close> connection_;
    bool notify_prepared_ = false;
};

}  // namespace postrider::support
