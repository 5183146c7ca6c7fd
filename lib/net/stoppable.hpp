#pragma once

#include "net/asio.hpp"

namespace postrider::net {

// Work that its owner can end from outside, wherever it waits.
class stoppable {
 public:
    // Does the work, one at a time; false: it was stopped, or never begun because stop() came before. What it
    // throws passes through.
    asio::awaitable<bool> run(asio::awaitable<void> work);

    // Ends the work under way, and whatever comes later before it begins.
    void stop();

 private:
    bool stopped_ = false;
    asio::cancellation_signal cancel_;
};

}  // namespace postrider::net
