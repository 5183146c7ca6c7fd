#pragma once

#include <cstdint>
#include <string>

#include "core/error.hpp"
#include "net/asio.hpp"
#include "net/deadline.hpp"
#include "postgres/connection.hpp"

namespace postrider::postgres {

// A session, as every other sees it; a process number alone comes again. Behind a pooler it is the server's,
// not what the pooler calls the connection.
struct session_id {
    int process = 0;      // as in pg_stat_activity
    std::string started;  // as Postgres writes it
};

// One process of a name leads: the one whose listening session holds the name's advisory lock (PostgreSQL
// documentation, 13.3.5). The lock goes with the session, however that ends.
class election {
 public:
    // Without a name there is nobody to elect against.
    explicit election(std::string name);

    bool contested() const { return !name_.empty(); }

    // Where every process of the name listens.
    std::string channel() const;

    // Prepares a new session: Postgres ends it after `silence` without a statement, so that a leader that is
    // cut off or stopped gives the lock up; servers before 14 cannot. Errors: as connection::query.
    asio::awaitable<core::result<void>> prepare(connection& c, std::chrono::milliseconds silence,
                                                net::deadline limit) const;

    // Errors: as connection::query.
    asio::awaitable<core::result<session_id>> identify(connection& c, net::deadline limit) const;

    // Whether another session than `former` holds the lock. That one, of this process, which Postgres does
    // not yet know to be over, is ended where it holds the lock. Errors: as connection::query.
    asio::awaitable<core::result<bool>> is_held_by_another(connection& c, session_id former,
                                                           net::deadline limit) const;

    // The lock's key, as Postgres takes it.
    const std::string& key() const { return key_; }

    // True: this session holds the lock. Errors: as connection::query.
    asio::awaitable<core::result<bool>> stand(connection& c, net::deadline limit) const;
    // The same, for a process that has missed what the leader has not yet done: while the name has an heir it
    // does not stand, and the answer is false.
    asio::awaitable<core::result<bool>> stand_behind_heirs(connection& c, net::deadline limit) const;
    // This session is one of the heirs, which have heard all that the leader has not yet done, as long as it
    // lasts. False: somebody just asks whether there is one, try again. Errors: as connection::query.
    asio::awaitable<core::result<bool>> become_heir(connection& c, net::deadline limit) const;

 private:
    asio::awaitable<core::result<bool>> ask(connection& c, std::string statement, parameters values,
                                            net::deadline limit) const;

    std::string name_;
    std::string key_;
    std::string heirs_key_;
};

}  // namespace postrider::postgres
