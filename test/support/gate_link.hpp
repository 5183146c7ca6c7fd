#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <optional>
#include <string>

namespace postrider::support {

// What the gate does to the bytes of one direction, shared by all its links.
struct gate_rules {
    enum class mode { pass, stall, swallow };
    mode how = mode::pass;
    std::chrono::milliseconds delay{0};
    std::optional<std::size_t> budget;  // bytes left before everything is reset
    bool exhausted = false;             // the budget is used up: the gate resets its links
    std::size_t forwarded = 0;
};

// One direction of one connection: what was read from one end and is not yet written to the other.
class gate_flow {
 public:
    using time = std::chrono::steady_clock::time_point;

    gate_flow(int from, int to) : from_(from), to_(to) {}

    bool wants_read(const gate_rules& rules) const;
    bool wants_write(const gate_rules& rules, time now) const;
    std::optional<time> due() const;  // when the oldest waiting bytes may leave

    // Move what can be moved without blocking; false when an end was reset.
    bool read_some(const gate_rules& rules, time now);
    bool write_some(gate_rules& rules, time now);

    bool finished() const { return finished_; }

 private:
    void drop_waiting();  // but not the end of the input

    struct chunk {
        std::string bytes;  // empty: the end of the input
        time due;
    };

    int from_;
    int to_;
    std::deque<chunk> waiting_;
    std::size_t size_ = 0;
    bool ended_ = false;     // the end of the input was read
    bool finished_ = false;  // and passed on
};

// A client's socket and its counterpart to the server; owns both.
struct gate_link {
    gate_link(int client_socket, int server_socket);
    gate_link(const gate_link&) = delete;
    gate_link& operator=(const gate_link&) = delete;
    ~gate_link();  // resets both ends unless both directions came to their orderly end

    // Waits a moment until both peers have what was sent, which a reset would otherwise take back.
    void settle() const;

    int client;
    int server;
    bool connected = false;  // the server's side
    gate_flow to_server;
    gate_flow to_client;
};

}  // namespace postrider::support
