#include "support/gate_loop.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <string>
#include <system_error>
#include <utility>

#include "support/ports.hpp"

namespace postrider::support {
namespace {

using time = gate_flow::time;

sockaddr_in loopback(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

int checked(int result, const char* what) {
    if (result < 0) throw std::system_error(errno, std::generic_category(), std::string("tcp_gate: ") + what);
    return result;
}

void send_at_once(int socket) {
    const int on = 1;
    setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

short events(bool read, bool write) {
    return static_cast<short>((read ? POLLIN : 0) | (write ? POLLOUT : 0));
}

}  // namespace

gate_loop::gate_loop(std::uint16_t target)
    : target_(target), port_(free_port()), wake_(checked(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd")) {
    listen();
    thread_ = std::thread([this] { run(); });
}

gate_loop::~gate_loop() {
    ask([this] { stopping_ = true; });
    thread_.join();
    if (listener_ >= 0) close(listener_);
    close(wake_);
}

void gate_loop::ask(std::function<void()> what) {
    std::packaged_task<void()> task(std::move(what));
    std::future<void> done = task.get_future();
    {
        const std::lock_guard lock(mutex_);
        asked_.push_back(std::move(task));
    }
    eventfd_write(wake_, 1);
    done.get();
}

void gate_loop::listen() {
    if (listener_ >= 0) return;
    const int fresh = checked(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), "socket");
    const int on = 1;
    const sockaddr_in address = loopback(port_);
    setsockopt(fresh, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fresh, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
        ::listen(fresh, 512) != 0) {
        close(fresh);
        checked(-1, "listen");
    }
    listener_ = fresh;
}

void gate_loop::refuse() {
    if (listener_ >= 0) close(std::exchange(listener_, -1));
    cut();
}

void gate_loop::run() {
    while (!stopping_) {
        std::vector<pollfd> all = watched(std::chrono::steady_clock::now());
        poll(all.data(), all.size(), patience(std::chrono::steady_clock::now()));
        const time now = std::chrono::steady_clock::now();
        for (std::size_t i = 0; i < links_.size(); ++i) {
            if (!serve(*links_[i], all[2 + 2 * i].revents, all[3 + 2 * i].revents, now)) links_[i].reset();
        }
        std::erase(links_, nullptr);
        reset_when_exhausted();
        accept_all();
        do_asked();
    }
    links_.clear();
}

std::vector<pollfd> gate_loop::watched(time now) const {
    std::vector<pollfd> all{{wake_, POLLIN, 0}, {listener_, POLLIN, 0}};
    for (const auto& link : links_) {
        const short client =
            events(link->to_server.wants_read(to_server), link->to_client.wants_write(to_client, now));
        const short server = events(link->connected && link->to_client.wants_read(to_client),
                                    !link->connected || link->to_server.wants_write(to_server, now));
        // An ignored end is left out altogether: poll would report its hang-up again and again.
        all.push_back({client != 0 ? link->client : -1, client, 0});
        all.push_back({server != 0 ? link->server : -1, server, 0});
    }
    return all;
}

// Milliseconds until delayed bytes are due; -1: nothing waits for a time.
int gate_loop::patience(time now) const {
    std::optional<time> next;
    const auto consider = [&](const gate_flow& flow, const gate_rules& rules) {
        const std::optional<time> due = flow.due();
        if (rules.how == gate_rules::mode::pass && due && *due > now)
            next = std::min(next.value_or(*due), *due);
    };
    for (const auto& link : links_) {
        consider(link->to_server, to_server);
        consider(link->to_client, to_client);
    }
    if (!next) return -1;
    return static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(*next - now).count());
}

bool gate_loop::serve(gate_link& link, short client_events, short server_events, time now) {
    if (!link.connected && server_events != 0) {
        int error = 0;
        socklen_t size = sizeof error;
        getsockopt(link.server, SOL_SOCKET, SO_ERROR, &error, &size);
        if (error != 0) return false;
        link.connected = true;
    }
    if (client_events != 0 && link.to_server.wants_read(to_server) &&
        !link.to_server.read_some(to_server, now)) {
        return false;
    }
    if (link.connected && server_events != 0 && link.to_client.wants_read(to_client) &&
        !link.to_client.read_some(to_client, now)) {
        return false;
    }
    if (link.connected && !link.to_server.write_some(to_server, now)) return false;
    if (!link.to_client.write_some(to_client, now)) return false;
    return !link.to_server.finished() || !link.to_client.finished();
}

void gate_loop::reset_when_exhausted() {
    if (!to_server.exhausted && !to_client.exhausted) return;
    for (const auto& link : links_)
        link->settle();
    cut();
    for (gate_rules* rules : {&to_server, &to_client}) {
        rules->budget.reset();
        rules->exhausted = false;
    }
}

void gate_loop::accept_all() {
    int client = -1;
    while (listener_ >= 0 &&
           (client = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0) {
        ++accepted_;
        const int server = checked(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), "socket");
        send_at_once(client);
        send_at_once(server);
        auto link = std::make_unique<gate_link>(client, server);
        const sockaddr_in address = loopback(target_);
        const int result = connect(server, reinterpret_cast<const sockaddr*>(&address), sizeof address);
        // A refused target ends the link, whose destructor resets the client.
        if (result == 0 || errno == EINPROGRESS) links_.push_back(std::move(link));
    }
}

void gate_loop::do_asked() {
    eventfd_t ignored = 0;
    eventfd_read(wake_, &ignored);
    std::vector<std::packaged_task<void()>> asked;
    {
        const std::lock_guard lock(mutex_);
        asked.swap(asked_);
    }
    for (auto& each : asked)
        each();
}

}  // namespace postrider::support
