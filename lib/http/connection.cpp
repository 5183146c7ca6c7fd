#include "http/connection.hpp"

#include <array>

#include "core/log_line.hpp"

namespace postrider::http {

namespace {

constexpr std::size_t most_discarded = 256 * 1024;

std::string words(const std::exception_ptr& error) {
    try {
        std::rethrow_exception(error);
    } catch (const std::exception& e) {
        return e.what();
    }
}

response too_many_streams() {
    auto r = error_response(503, "too many streams are open; try again later");
    r.fields.emplace_back("Retry-After", "10");
    return r;
}

// Counts a stream as long as it lives.
class counted {
 public:
    explicit counted(std::size_t& number) : number_(number) { ++number_; }
    counted(const counted&) = delete;
    counted& operator=(const counted&) = delete;
    ~counted() { --number_; }

 private:
    std::size_t& number_;
};

}  // namespace

connection::connection(asio::ip::tcp::socket socket, shared_parts& shared)
    : socket_(std::move(socket)),
      shared_(shared),
      reader_(shared.settings.header_limit, shared.settings.body_limit),
      timer_(socket_.get_executor()) {
    limit(shared.settings.request_time);
}

asio::awaitable<void> connection::run() {
    // A coroutine of its own, so that one signal reaches whatever the client's request waits for.
    const auto executor = socket_.get_executor();
    auto token = asio::bind_cancellation_slot(cancel_.slot(), asio::as_tuple(asio::use_awaitable));
    auto serving = asio::co_spawn(executor, serve(), std::move(token));
    const auto outcome = co_await std::move(serving);
    over_ = true;
    error_code ignored;
    socket_.close(ignored);
    timer_.cancel();
    const auto& error = std::get<0>(outcome);
    if (error && !cancelled_) core::log_error("HTTP: a connection ended by a bug: {}", words(error));
}

asio::awaitable<void> connection::watch() {
    while (!over_) {
        timer_.expires_at(deadline_);
        co_await timer_.async_wait(asio::as_tuple(asio::use_awaitable));
        if (over_ || core::steady::now() < deadline_) continue;
        deadline_ = core::steady::time_point::max();
        cancel();
    }
}

void connection::limit(core::milliseconds time) {
    moved_at_ = core::steady::now();
    deadline_ = moved_at_ + time;
    // A later deadline needs no new wait: the watch looks at it when it wakes.
    if (deadline_ < timer_.expiry()) timer_.cancel();
}

void connection::stop() {
    stopping_ = true;
    if (waiting_) cancel();
}

void connection::cancel() {
    if (cancelled_ || over_) return;
    cancelled_ = true;
    cancel_.emit(asio::cancellation_type::terminal);
    error_code ignored;
    socket_.close(ignored);
}

asio::awaitable<void> connection::serve() {
    bool polite = false;  // the client itself asked for the end
    for (unsigned served = 1; co_await read_request(); ++served) {
        request asked = reader_.take();
        framing how;
        how.with_body = asked.method != "HEAD";
        how.old_client = reader_.old_client();
        limit(shared_.settings.answer_time);
        answering_ = true;
        response answered = co_await answer(std::move(asked));
        answering_ = false;
        if (answered.stream && how.with_body) {
            if (shared_.streams < shared_.settings.max_streams) {
                co_await stream(std::move(answered));
                co_return;
            }
            answered = too_many_streams();
        }
        polite = !reader_.keep_alive();
        how.keep_alive = !polite && !stopping_ && served < shared_.settings.max_requests;
        const std::string bytes = render(answered, how, shared_.date.at(core::wall::now()));
        const bool written = co_await write(bytes);
        if (!written) co_return;
        if (!how.keep_alive) break;
        waiting_ = reader_.idle();
        if (waiting_) limit(shared_.settings.idle_time);
    }
    if (!polite) co_await linger();
}

// False: the connection is to end, a refusal has been answered.
asio::awaitable<bool> connection::read_request() {
    using progress = request_reader::progress;
    if (!waiting_) limit(shared_.settings.request_time);
    auto so_far = reader_.received(0);
    while (so_far == progress::more || so_far == progress::expects) {
        if (so_far == progress::expects) {
            const std::string go_on = "HTTP/1.1 100 Continue\r\n\r\n";
            const bool written = co_await write(go_on);
            if (!written) co_return false;
            limit(shared_.settings.request_time);
        }
        const auto room = reader_.room();
        const auto target = asio::buffer(room.data(), room.size());
        const auto [error, count] =
            co_await socket_.async_read_some(target, asio::as_tuple(asio::use_awaitable));
        if (error) co_return false;
        if (waiting_) limit(shared_.settings.request_time);
        waiting_ = false;
        so_far = reader_.received(count);
    }
    if (so_far == progress::complete) co_return true;
    framing how;
    how.keep_alive = false;
    const std::string bytes = render(reader_.refusal(), how, shared_.date.at(core::wall::now()));
    co_await write(bytes);
    co_return false;
}

// The caller keeps the bytes until it is awaited.
asio::awaitable<bool> connection::write(const std::string& bytes) {
    limit(shared_.settings.write_time);
    for (std::string_view left(bytes); !left.empty();) {
        const auto source = asio::buffer(left);
        const auto [error, count] =
            co_await socket_.async_write_some(source, asio::as_tuple(asio::use_awaitable));
        if (error) co_return false;
        left.remove_prefix(count);
        moved_at_ = core::steady::now();
    }
    co_return true;
}

// A client that has not taken a text within write_time is cut off by the deadline.
asio::awaitable<void> connection::stream(response answered) {
    const counted one(shared_.streams);
    streaming_ = true;
    error_code ignored;
    socket_.set_option(asio::socket_base::send_buffer_size(shared_.settings.stream_buffer), ignored);
    waiting_ = true;  // its client comes again, so it may be closed at any time
    framing how;
    how.keep_alive = false;
    const std::string head = render(answered, how, shared_.date.at(core::wall::now()));
    bool written = co_await write(head);
    asio::steady_timer pause(socket_.get_executor());
    while (written && !stopping_) {
        const auto newest = answered.stream->at(core::steady::now());
        written = co_await write(*newest);
        deadline_ = core::steady::time_point::max();
        pause.expires_at(answered.stream->next());
        co_await pause.async_wait(asio::as_tuple(asio::use_awaitable));
    }
}

asio::awaitable<response> connection::answer(request asked) {
    std::exception_ptr error;
    try {
        auto asking = shared_.handler(std::move(asked));
        response answered = co_await std::move(asking);
        co_return answered;
    } catch (const std::exception&) {
        error = std::current_exception();
    }
    if (cancelled_) std::rethrow_exception(error);
    core::log_error("HTTP: an endpoint failed: {}", words(error));
    co_return error_response(500, "this endpoint failed; the log says why");
}

// Reads on until the client has closed: a socket closed over unread bytes resets the connection, and the
// client would lose the answer that it has not read yet.
asio::awaitable<void> connection::linger() {
    error_code error;
    socket_.shutdown(asio::ip::tcp::socket::shutdown_send, error);
    if (error) co_return;
    waiting_ = !stopping_;
    limit(shared_.settings.linger_time);
    std::string discarded(4096, '\0');
    const auto target = asio::buffer(discarded);
    for (std::size_t total = 0; total < most_discarded;) {
        const auto [failed, count] =
            co_await socket_.async_read_some(target, asio::as_tuple(asio::use_awaitable));
        if (failed) co_return;
        total += count;
    }
}

}  // namespace postrider::http
