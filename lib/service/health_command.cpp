#include <fmt/format.h>

#include <boost/asio/read_until.hpp>

#include "net/deadline.hpp"
#include "net/task_group.hpp"
#include "service/service.hpp"

namespace postrider::service {
namespace {

using asio::ip::tcp;

constexpr std::chrono::seconds health_patience{3};
constexpr std::size_t longest_head = 4'096;
constexpr std::string_view question =
    "GET /health/liveness HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

struct finding {
    bool alive = false;
    std::string words;
};

tcp::endpoint own_endpoint(const configuration& c) {
    auto address = asio::ip::make_address(c.http_address);
    // Where a server listens on every address, loopback is the one that is always there.
    if (address.is_unspecified() && address.is_v4()) address = asio::ip::address_v4::loopback();
    if (address.is_unspecified()) address = asio::ip::address_v6::loopback();
    return {address, c.http_port};
}

// "HTTP/1.1 200 OK" and the headers up to the empty line.
asio::awaitable<std::pair<error_code, std::string>> head_of_answer(tcp::endpoint where) {
    const auto limit = core::steady::now() + health_patience;
    std::pair<error_code, std::string> answer;
    tcp::socket socket(co_await asio::this_coro::executor);
    answer.first = co_await net::before(limit, socket.async_connect(where, asio::deferred));
    if (answer.first) co_return answer;
    const auto sent = co_await net::value_before<std::size_t>(
        limit, asio::async_write(socket, asio::buffer(question), asio::deferred));
    answer.first = sent.first;
    if (answer.first) co_return answer;
    auto buffer = asio::dynamic_buffer(answer.second, longest_head);
    const auto read = co_await net::value_before<std::size_t>(
        limit, asio::async_read_until(socket, buffer, "\r\n\r\n", asio::deferred));
    answer.first = read.first;
    co_return answer;
}

asio::awaitable<void> ask(tcp::endpoint where, finding& found) {
    const auto answer = co_await head_of_answer(where);
    const auto line = answer.second.substr(0, answer.second.find('\r'));
    if (answer.first == asio::error::timed_out)
        found.words = fmt::format("no answer within {} s", health_patience.count());
    else if (answer.first)
        found.words = answer.first.message();
    else if (!line.starts_with("HTTP/1.1 200 "))
        found.words = "GET /health/liveness was answered with something else than 200";
    else
        found.alive = true;
}

}  // namespace

int health(const configuration& c) {
    if (c.http_port == 0) {
        fmt::print("not known: port 0 means any free one; name the port in PORT or --port\n");
        return 1;
    }
    const auto where = own_endpoint(c);
    asio::io_context loop{1};
    finding found;
    net::task_group tasks(loop.get_executor(),
                          [&found](std::string_view, std::string_view words) { found.words = words; });
    tasks.spawn("health", ask(where, found));
    loop.run();
    if (found.alive)
        fmt::print("alive: {}:{}\n", where.address().to_string(), where.port());
    else
        fmt::print("not alive: {}:{}: {}\n", where.address().to_string(), where.port(), found.words);
    return found.alive ? 0 : 1;
}

}  // namespace postrider::service
