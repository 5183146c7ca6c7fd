#include "bench/event_streams.hpp"

#include <poll.h>

#include <algorithm>
#include <array>
#include <vector>

#include "bench/client_socket.hpp"
#include "bench/priority.hpp"

namespace postrider::bench {

event_streams::event_streams(std::uint16_t port, std::size_t number)
    : thread_([this, port, number](const std::stop_token& stopped) { run(stopped, port, number); }) {}

void event_streams::run(const std::stop_token& stopped, std::uint16_t port, std::size_t number) {
    give_way();
    std::vector<client_socket> sockets;
    std::vector<pollfd> waiting;
    for (std::size_t i = 0; i < number; ++i) {
        client_socket socket(port);
        if (!socket.send("GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n")) ++lost_;
        waiting.push_back({.fd = socket.descriptor(), .events = POLLIN, .revents = 0});
        sockets.push_back(std::move(socket));
    }
    std::array<char, 65536> room;
    while (!stopped.stop_requested()) {
        ::poll(waiting.data(), waiting.size(), 100);
        for (std::size_t i = 0; i < waiting.size(); ++i) {
            if (waiting[i].revents == 0) continue;
            const auto text = sockets[i].receive(room);
            // JSON escapes its line ends, so that each text has this end alone.
            if (text.ends_with("\n\n")) ++texts_;
            if (sockets[i].connected()) continue;
            ++lost_;
            waiting[i].fd = -1;
        }
    }
}

}  // namespace postrider::bench
