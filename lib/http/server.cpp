#include "http/server.hpp"

#include "core/log_line.hpp"

namespace postrider::http {
namespace {

using asio::ip::tcp;

// Troubles of one kind closer together than this are one storm, and one line in the log.
constexpr std::chrono::seconds storm_quiet{30};

core::failure cannot_listen(const settings& s, const error_code& error) {
    std::string mend = "see the system's words";
    if (error == asio::error::address_in_use) {
        mend = "another program listens there: stop it, or choose another port (PORT)";
    } else if (error == asio::error::access_denied) {
        mend = "ports below 1024 need a privilege: choose a higher port (PORT)";
    } else if (error == boost::system::errc::address_not_available) {
        mend = "this machine has no such address: use 0.0.0.0 or :: for every interface";
    }
    const std::string host = s.address.find(':') == std::string::npos ? s.address : "[" + s.address + "]";
    return {.code = core::errc::invalid_input,
            .message = "HTTP cannot listen on " + host + ":" + std::to_string(s.port) + ": " +
                       error.message() + "; " + mend};
}

}  // namespace

server::server(const asio::any_io_executor& executor, settings s, handler h)
    : shared_{.settings = std::move(s), .handler = std::move(h), .date = {}, .streams = 0},
      acceptor_(executor),
      pause_(executor),
      tasks_(executor,
             [](std::string_view name, std::string_view words) {
                 core::log_error("HTTP: the task {} ended by a bug: {}", name, words);
             }),
      ended_(executor),
      last_accept_error_(core::steady::now() - 2 * storm_quiet),
      last_full_(last_accept_error_) {}

core::result<std::uint16_t> server::listen() {
    error_code error;
    const auto address = asio::ip::make_address(shared_.settings.address, error);
    if (error) {
        return core::failure{.code = core::errc::invalid_input,
                             .message = "HTTP cannot listen on \"" + shared_.settings.address +
                                        "\": it is not an IP address; use 0.0.0.0 or :: for every interface, "
                                        "127.0.0.1 for this machine alone"};
    }
    const tcp::endpoint where(address, shared_.settings.port);
    acceptor_.open(where.protocol(), error);
    if (!error) acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
    if (!error) acceptor_.bind(where, error);
    if (!error) acceptor_.listen(tcp::acceptor::max_listen_connections, error);
    tcp::endpoint bound;
    if (!error) bound = acceptor_.local_endpoint(error);
    if (!error) return bound.port();
    error_code ignored;
    acceptor_.close(ignored);
    return cannot_listen(shared_.settings, error);
}

asio::awaitable<void> server::run() {
    co_await accept();
    const auto limit = core::steady::now() + shared_.settings.stop_time;
    while (!open_.empty() && core::steady::now() < limit)
        co_await ended_.wait_until(limit);
    for (const auto& client : everybody())
        client->cancel();
    co_await tasks_.join();
}

void server::stop() {
    if (stopping_) return;
    stopping_ = true;
    error_code ignored;
    acceptor_.close(ignored);
    pause_.cancel();
    for (const auto& client : everybody())
        client->stop();
}

std::vector<std::shared_ptr<connection>> server::everybody() const {
    return {open_.begin(), open_.end()};
}

asio::awaitable<void> server::accept() {
    while (!stopping_) {
        auto [error, socket] = co_await acceptor_.async_accept(asio::as_tuple(asio::use_awaitable));
        if (stopping_) break;
        if (error) {
            co_await recover(error);
        } else {
            admit(std::move(socket));
        }
    }
}

asio::awaitable<void> server::recover(error_code error) {
    if (error == asio::error::connection_aborted) co_return;
    const auto now = core::steady::now();
    if (now - last_accept_error_ > storm_quiet) {
        core::log_warning(
            "HTTP: a connection cannot be accepted: {}; trying again until it works. When descriptors are "
            "short, raise the limit (ulimit -n, LimitNOFILE)",
            error.message());
    }
    last_accept_error_ = now;
    pause_.expires_after(shared_.settings.accept_pause);
    co_await pause_.async_wait(asio::as_tuple(asio::use_awaitable));
}

void server::admit(tcp::socket socket) {
    if (open_.size() - shared_.streams >= shared_.settings.max_connections) make_room();
    error_code ignored;
    socket.set_option(tcp::no_delay(true), ignored);
    const auto client = std::make_shared<connection>(std::move(socket), shared_);
    open_.insert(client);
    tasks_.spawn("http connection", attend(client));
    tasks_.spawn("http deadline", watch(client));
}

asio::awaitable<void> server::attend(std::shared_ptr<connection> client) {
    co_await client->run();
    open_.erase(client);
    ended_.notify();
}

asio::awaitable<void> server::watch(std::shared_ptr<connection> client) {
    co_await client->watch();
}

// A pass over all of them, but only where a newcomer finds as many as allowed.
void server::make_room() {
    std::size_t count = 0;
    std::shared_ptr<connection> slowest;
    for (const auto& client : open_) {
        if (!client->takes_place()) continue;
        ++count;
        if (!slowest || client->claim() < slowest->claim()) slowest = client;
    }
    if (count < shared_.settings.max_connections) return;
    const auto now = core::steady::now();
    if (now - last_full_ > storm_quiet) {
        core::log_warning(
            "HTTP: {} connections are open, as many as allowed; each that comes now closes the one that has "
            "made Postrider wait for longest",
            count);
    }
    last_full_ = now;
    if (slowest) slowest->cancel();
}

}  // namespace postrider::http
