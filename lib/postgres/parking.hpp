#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/clock.hpp"
#include "core/error.hpp"
#include "event/parked.hpp"
#include "net/asio.hpp"
#include "net/deadline.hpp"
#include "postgres/connection.hpp"

namespace postrider::postgres {

struct parking_settings {
    std::string conninfo;
    std::string name;  // of the bridge; its rows are no others'
    // Together they leave room within the 8 s of a stop.
    core::milliseconds connect_timeout{1'000};  // for each host
    core::milliseconds statement_timeout{3'000};
};

// Events that wait in the table postrider.parked, in order, because the memory may hold no more of them. Only
// the session that holds the name's lock writes: whoever takes over waits for what is under way and then
// finds all there will be. One call at a time.
//
// Errors: those of connection::open and connection::query. After any of them, also a statement that the
// server has refused, the next call opens the connection anew.
class parking {
 public:
    // What one statement is to be given at most: it ends well within its timeout.
    static constexpr std::size_t events_a_statement = 1'000;

    // `leader` is the process number of the listening session in Postgres, 0 while it does not lead.
    parking(parking_settings settings, std::function<int()> leader);

    // What is parked of each route, by its numbers. Nothing where there is no such table; where this user may
    // not read it that is an error, which says how to mend it. This one may take longer than
    // statement_timeout: each time that was not enough, the next call gives it twice as long, up to ten
    // minutes.
    asio::awaitable<core::result<std::vector<event::parked_range>>> ranges();

    // Appends, all or nothing; false: this process does not lead, and nothing was written.
    asio::awaitable<core::result<bool>> write(std::vector<event::parked> events);

    // The same in front of all that is there: what was taken already, and could not be delivered.
    asio::awaitable<core::result<bool>> put_back(std::vector<event::parked> events);

    // The oldest events behind `id`, at most `limit`.
    asio::awaitable<core::result<std::vector<event::parked>>> read(std::int64_t id, std::size_t limit);

    // Deletes the events up to and with `id`.
    asio::awaitable<core::result<void>> forget(std::int64_t id);

    // The table is not there and may not be created, as the last write() has found; false also where nobody
    // could say, because a lock or a limit was in the way.
    bool missing() const { return missing_; }

    // Closes the connection.
    void close() { connection_.reset(); }

 private:
    asio::awaitable<core::result<void>> connect();
    asio::awaitable<core::result<rows>> run(std::string sql, parameters values);
    asio::awaitable<core::result<rows>> run(std::string sql, parameters values, core::milliseconds time);
    asio::awaitable<core::result<rows>> look();
    void drop_connection();
    asio::awaitable<core::result<void>> make_table();
    parameters row_values(const std::vector<event::parked>& events) const;
    asio::awaitable<core::result<bool>> insert(std::string sql, parameters values, std::size_t events);

    parking_settings settings_;
    std::function<int()> leader_;
    std::optional<connection> connection_;
    std::string refusal_;  // the server's last code on the connection that was dropped
    std::string user_;     // of that
    core::milliseconds look_time_;
    bool table_made_ = false;
    bool missing_ = false;
};

}  // namespace postrider::postgres
