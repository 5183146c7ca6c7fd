#pragma once

#include "core/histogram.hpp"
#include "net/asio.hpp"
#include "net/signal.hpp"

namespace postrider::net {

// How late the loop is: four times a second it looks how long after its time a timer was served.
class loop_lag {
 public:
    explicit loop_lag(const asio::any_io_executor& executor) : stopped_(executor) {}

    // Returns after stop().
    asio::awaitable<void> run();
    void stop();

    // In seconds.
    const core::histogram& seen() const { return seen_; }

 private:
    signal stopped_;
    bool stopping_ = false;
    core::histogram seen_{{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5}};
};

}  // namespace postrider::net
