#include "bench/request_load.hpp"

#include <algorithm>
#include <array>
#include <string>

#include "bench/client_socket.hpp"
#include "bench/figures.hpp"
#include "bench/priority.hpp"

namespace postrider::bench {
namespace {

constexpr std::size_t connections = 6;  // with 500 slow ones below the server's 512
constexpr std::chrono::microseconds tick{250};
constexpr int most_on_the_way = 32;  // on one connection
constexpr int most_requests = 900;   // below what the server allows a connection
constexpr double most_behind = 200;  // requests that are asked later than they were due
constexpr std::string_view request = "GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n";
constexpr std::string_view answer = "HTTP/1.1 200 ";

struct line {
    client_socket socket;
    int sent = 0;
    int answered = 0;
    std::string rest;  // the end of what came, which may be the beginning of an answer

    int on_the_way() const { return sent - answered; }
};

// The number of answers that have come since the last time.
int receive(line& l) {
    std::array<char, 65536> room;
    l.rest += l.socket.receive(room);
    int found = 0;
    std::size_t at = 0;
    for (auto next = l.rest.find(answer); next != std::string::npos; next = l.rest.find(answer, at)) {
        ++found;
        at = next + answer.size();
    }
    l.rest.erase(0, std::max(at, l.rest.size() - std::min(l.rest.size(), answer.size() - 1)));
    l.answered += found;
    return found;
}

// The number of requests that were sent, `wanted` at most.
int ask(line& l, int wanted) {
    const int n = std::min({wanted, most_on_the_way - l.on_the_way(), most_requests - l.sent});
    std::string bytes;
    for (int i = 0; i < n; ++i)
        bytes += request;
    if (n <= 0 || !l.socket.send(bytes)) return 0;
    l.sent += n;
    return n;
}

}  // namespace

request_load::request_load(std::uint16_t port, int per_second)
    : thread_([this, port, per_second](const std::stop_token& stopped) { run(stopped, port, per_second); }) {}

void request_load::run(const std::stop_token& stopped, std::uint16_t port, int per_second) {
    give_way();
    std::array<line, connections> lines;
    auto last = clock::now();
    double due = 0;
    for (std::size_t i = 0; !stopped.stop_requested(); i = (i + 1) % connections) {
        std::this_thread::sleep_until(last + tick);
        due = std::min(most_behind, due + seconds_since(last) * per_second);
        last = clock::now();
        auto& l = lines[i];
        answered_ += receive(l);
        if (!l.socket.connected() || l.answered == most_requests) {
            lost_ += l.on_the_way();
            l = line{};
            l.socket = client_socket(port);
        }
        due -= ask(l, static_cast<int>(due));
    }
}

}  // namespace postrider::bench
