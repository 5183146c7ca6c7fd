#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace postrider::support {

class gate_loop;

// A TCP proxy on a loopback port that can misbehave like a network. Every call returns when it has taken
// effect. A target that refuses shows as a connection that is accepted and reset at once.
class tcp_gate {
 public:
    enum class direction { to_server, to_client, both };

    explicit tcp_gate(std::uint16_t target_port);  // throws std::runtime_error when it cannot listen
    tcp_gate(const tcp_gate&) = delete;
    tcp_gate& operator=(const tcp_gate&) = delete;
    ~tcp_gate();

    std::uint16_t port() const;

    void pass();    // forgets every mode below; what was stalled flows on; connections are accepted again
    void cut();     // resets (RST) all open connections; new ones are served in the modes set
    void refuse();  // cuts and stops listening: connection refused until pass() or stall()
    // Stops reading and forwarding: connections stay open, even when an end closes its side meanwhile, and
    // new ones are accepted and stalled. The other direction stays as it is.
    void stall(direction which = direction::both);
    void delay(std::chrono::milliseconds by);  // every byte is forwarded that much later, both directions
    void swallow(direction which);             // reads and throws away, not counted in bytes()
    // Forwards so many further bytes in that direction, counted over all connections, then resets all of
    // them and forwards normally again. After 0 bytes means: when the next byte comes, which is lost.
    void cut_after(std::size_t bytes, direction which);

    std::size_t connections() const;           // open now
    std::size_t accepted() const;              // since the start
    std::size_t bytes(direction which) const;  // forwarded since the start; both: the sum

 private:
    std::unique_ptr<gate_loop> loop_;
};

}  // namespace postrider::support
