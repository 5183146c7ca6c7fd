#pragma once

#include <utility>

#include "core/clock.hpp"
#include "http/answer.hpp"
#include "http/message.hpp"
#include "http/request_reader.hpp"
#include "http/settings.hpp"
#include "net/asio.hpp"

namespace postrider::http {

// What all connections of a server have in common; it outlives them.
struct shared_parts {
    http::settings settings;
    http::handler handler;
    date_cache date;
    std::size_t streams = 0;  // open now
};

// One client: its requests one after the other, each step against a deadline. Both of its coroutines, run()
// and watch(), end soon after cancel(), and the object lives until both have.
class connection {
 public:
    connection(asio::ip::tcp::socket socket, shared_parts& shared);
    connection(const connection&) = delete;
    connection& operator=(const connection&) = delete;

    // Serves the client to the end. A throwing handler is answered with 500 and logged.
    asio::awaitable<void> run();

    // Cancels what passes its deadline; ends with run().
    asio::awaitable<void> watch();

    // Closes the connection: now if it waits for a request, else after the answer that is under way.
    void stop();

    // Closes the connection now; a running handler is cancelled (terminal).
    void cancel();

    // Whether it counts among settings::max_connections: it is no stream, and is not being closed.
    bool takes_place() const { return !streaming_ && !cancelled_ && !over_; }

    // The smallest goes first when places are short: who makes Postrider wait, for the rest of a request or
    // with an answer that is not taken, before who waits for Postrider; of these who does so for longest.
    std::pair<bool, core::steady::time_point> claim() const { return {answering_, moved_at_}; }

 private:
    asio::awaitable<void> serve();
    asio::awaitable<bool> read_request();
    asio::awaitable<bool> write(const std::string& bytes);
    asio::awaitable<void> stream(response answered);
    asio::awaitable<response> answer(request asked);
    asio::awaitable<void> linger();
    void limit(core::milliseconds time);

    asio::ip::tcp::socket socket_;
    shared_parts& shared_;
    request_reader reader_;
    asio::steady_timer timer_;
    core::steady::time_point deadline_ = core::steady::time_point::max();
    asio::cancellation_signal cancel_;
    core::steady::time_point moved_at_{};  // the last step, or the last bytes of an answer that were taken
    bool answering_ = false;               // the handler runs
    bool streaming_ = false;
    bool waiting_ = true;  // nothing would be lost by closing now
    bool stopping_ = false;
    bool cancelled_ = false;
    bool over_ = false;
};

}  // namespace postrider::http
