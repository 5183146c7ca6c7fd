#include "running_server.hpp"

#include <boost/asio/post.hpp>
#include <stdexcept>

#include "http/answer.hpp"

namespace postrider::test {

namespace {

std::shared_ptr<http::feed> numbers(std::size_t blanks) {
    auto make = [blanks, n = 0]() mutable { return std::string(blanks, ' ') + std::to_string(++n) + '\n'; };
    return std::make_shared<http::feed>(std::move(make), core::milliseconds(1));
}

}  // namespace

http::settings patient() {
    constexpr core::milliseconds long_time{600'000};
    http::settings s;
    s.address = "127.0.0.1";
    s.port = 0;
    s.request_time = s.answer_time = s.write_time = s.idle_time = s.stop_time = long_time;
    s.linger_time = core::milliseconds(5'000);
    return s;
}

running_server::running_server(http::settings s)
    : work_(asio::make_work_guard(context_)),
      gate_(context_.get_executor()),
      server_(context_.get_executor(), std::move(s),
              [this](http::request asked) { return answer(std::move(asked)); }) {
    port_ = server_.listen().value();
    asio::co_spawn(context_, server_.run(), [this](const std::exception_ptr& e) {
        if (e) std::rethrow_exception(e);
        ended_.set_value();
    });
    thread_ = std::thread([this] { context_.run(); });
}

running_server::~running_server() {
    if (!thread_.joinable()) return;
    open_gate();
    stop();
    join();
}

void running_server::on_loop(const std::function<void()>& action) {
    // Shared, because the waiting thread may go on before set_value has returned.
    const auto done = std::make_shared<std::promise<void>>();
    asio::post(context_, [&action, done] {
        action();
        done->set_value();
    });
    done->get_future().get();
}

std::size_t running_server::connections() {
    std::size_t count = 0;
    on_loop([&] { count = server_.connections(); });
    return count;
}

std::size_t running_server::streams() {
    std::size_t count = 0;
    on_loop([&] { count = server_.streams(); });
    return count;
}

std::size_t running_server::at_gate() {
    std::size_t count = 0;
    on_loop([&] { count = at_gate_; });
    return count;
}

void running_server::open_gate() {
    on_loop([this] {
        open_ = true;
        gate_.notify();
    });
}

void running_server::stop() {
    on_loop([this] { server_.stop(); });
}

void running_server::join() {
    ended_.get_future().wait();
    work_.reset();
    thread_.join();
}

asio::awaitable<http::response> running_server::answer(http::request asked) {
    http::response r;
    r.content_type = "text/plain";
    if (asked.path == "/echo") {
        r.body = asked.method + " " + asked.path + " " + asked.query + " " + asked.body;
    } else if (asked.path == "/gate") {
        ++at_gate_;
        while (!open_)
            co_await gate_.wait();
        r.body = "through";
    } else if (asked.path == "/big") {
        r.body.assign(std::size_t{16} << 20, 'x');
    } else if (asked.path == "/stream") {
        r.content_type = "text/event-stream";
        if (!feed_) feed_ = numbers(asked.query.empty() ? 0 : std::stoul(asked.query));
        r.stream = feed_;
    } else if (asked.path == "/throw") {
        throw std::runtime_error("on purpose");
    } else {
        r = http::error_response(404, "nothing here");
    }
    co_return r;
}

}  // namespace postrider::test
