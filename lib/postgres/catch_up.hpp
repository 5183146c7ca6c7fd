#pragma once

#include <string>
#include <vector>

#include "core/error.hpp"
#include "net/asio.hpp"

namespace postrider::postgres {

struct listener_settings;
struct listener_sink;

// The catch-up queries of a listener. Each runs on a connection of its own, so that the listening session
// can be read and asked for signs of life all the while; its rows are handed over as they come.
class catch_up {
 public:
    // Both belong to the listener and outlive this.
    catch_up(const listener_settings& settings, const listener_sink& sink);

    // A new session listens: every query has to run again.
    void begin_session();

    // Runs what has not run in this session, in order. A query that Postgres refuses is told and left for the
    // next run(). Errors (unresolved, refused, timeout, authentication, tls, connection_lost): a connection
    // failed; that query and those behind it have not run.
    asio::awaitable<core::result<void>> run();

    // Whether every query has run in this session.
    bool complete() const;

    // Why the last run() was not complete; empty: it was.
    const std::string& error() const { return error_; }

 private:
    asio::awaitable<core::result<void>> run_one(std::size_t i);
    void refused(std::size_t i, const core::failure& why);

    const listener_settings& settings_;
    const listener_sink& sink_;
    std::vector<bool> done_;
    std::string error_;
};

}  // namespace postrider::postgres
