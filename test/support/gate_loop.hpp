#pragma once

#include <poll.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "support/gate_link.hpp"

namespace postrider::support {

// The gate's thread, which alone touches the sockets; others hand it what to do and wait until it is done.
class gate_loop {
 public:
    explicit gate_loop(std::uint16_t target);
    gate_loop(const gate_loop&) = delete;
    gate_loop& operator=(const gate_loop&) = delete;
    ~gate_loop();

    std::uint16_t port() const { return port_; }

    // Runs it on the gate's thread and returns when it is done; what it throws passes through.
    void ask(std::function<void()> what);

    // All that follows is for use within ask().
    void listen();
    void refuse();
    void cut() { links_.clear(); }
    std::size_t links() const { return links_.size(); }
    std::size_t accepted() const { return accepted_; }
    gate_rules to_server;
    gate_rules to_client;

 private:
    using time = gate_flow::time;

    void run();
    void do_asked();
    void accept_all();
    bool serve(gate_link& link, short client_events, short server_events, time now);
    void reset_when_exhausted();
    std::vector<pollfd> watched(time now) const;
    int patience(time now) const;

    std::uint16_t target_;
    std::uint16_t port_;
    int wake_;
    int listener_ = -1;
    bool stopping_ = false;
    std::vector<std::unique_ptr<gate_link>> links_;
    std::size_t accepted_ = 0;
    std::mutex mutex_;
    std::vector<std::packaged_task<void()>> asked_;
    std::thread thread_;
};

}  // namespace postrider::support
