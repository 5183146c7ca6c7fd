#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "core/error.hpp"
#include "net/task_group.hpp"
#include "redis/options.hpp"
#include "redis/pipeline.hpp"
#include "redis/reply.hpp"

namespace postrider::redis {

class session;

// A few commands over a connection of their own, which is closed behind the answer: for a sentinel, or for a
// cluster node that is asked about the others.
class question {
 public:
    explicit question(const asio::any_io_executor& executor);
    ~question();
    question(const question&) = delete;
    question& operator=(const question&) = delete;

    // Connects, greets and asks within `limit`; one at a time. Error replies are replies. Errors: what ended
    // the connection; stopped, also for every later question, by cancel().
    asio::awaitable<core::result<std::vector<reply>>> ask(options server, pipeline commands,
                                                          std::chrono::milliseconds limit);

    void cancel();

 private:
    asio::awaitable<void> speak();

    asio::any_io_executor executor_;
    options server_;
    pipeline commands_;
    std::unique_ptr<session> session_;
    std::optional<core::result<std::vector<reply>>> answer_;
    bool cancelled_ = false;
    net::task_group tasks_;
};

}  // namespace postrider::redis
