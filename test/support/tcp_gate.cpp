#include "support/tcp_gate.hpp"

#include "support/gate_loop.hpp"

namespace postrider::support {
namespace {

template <class Change>
void change(gate_loop& loop, tcp_gate::direction which, Change apply) {
    if (which != tcp_gate::direction::to_client) apply(loop.to_server);
    if (which != tcp_gate::direction::to_server) apply(loop.to_client);
}

}  // namespace

tcp_gate::tcp_gate(std::uint16_t target_port) : loop_(std::make_unique<gate_loop>(target_port)) {}
tcp_gate::~tcp_gate() = default;

std::uint16_t tcp_gate::port() const {
    return loop_->port();
}

void tcp_gate::pass() {
    loop_->ask([this] {
        change(*loop_, direction::both, [](gate_rules& rules) {
            rules.how = gate_rules::mode::pass;
            rules.delay = std::chrono::milliseconds(0);
            rules.budget.reset();
        });
        loop_->listen();
    });
}

void tcp_gate::cut() {
    loop_->ask([this] { loop_->cut(); });
}

void tcp_gate::refuse() {
    loop_->ask([this] { loop_->refuse(); });
}

void tcp_gate::stall(direction which) {
    loop_->ask([this, which] {
        change(*loop_, which, [](gate_rules& rules) { rules.how = gate_rules::mode::stall; });
        loop_->listen();
    });
}

void tcp_gate::delay(std::chrono::milliseconds by) {
    loop_->ask(
        [this, by] { change(*loop_, direction::both, [by](gate_rules& rules) { rules.delay = by; }); });
}

void tcp_gate::swallow(direction which) {
    loop_->ask([this, which] {
        change(*loop_, which, [](gate_rules& rules) { rules.how = gate_rules::mode::swallow; });
    });
}

void tcp_gate::cut_after(std::size_t bytes, direction which) {
    loop_->ask([this, bytes, which] {
        change(*loop_, which, [bytes](gate_rules& rules) { rules.budget = bytes; });
    });
}

std::size_t tcp_gate::connections() const {
    std::size_t count = 0;
    loop_->ask([&] { count = loop_->links(); });
    return count;
}

std::size_t tcp_gate::accepted() const {
    std::size_t count = 0;
    loop_->ask([&] { count = loop_->accepted(); });
    return count;
}

std::size_t tcp_gate::bytes(direction which) const {
    std::size_t count = 0;
    loop_->ask([&] { change(*loop_, which, [&count](gate_rules& rules) { count += rules.forwarded; }); });
    return count;
}

}  // namespace postrider::support
