#pragma once

#include "net/asio.hpp"
#include "net/signal.hpp"

namespace postrider::net {

// The coroutines of one owner: each has a name, none is detached, all are joined before the owner goes.
class task_group {
 public:
    // `on_failure(name, words)` is called when a task ends with an exception, which is a bug by this
    // project's rules; the owner starts its shutdown there.
    using failure_handler = std::function<void(std::string_view name, std::string_view words)>;

    task_group(asio::any_io_executor executor, failure_handler on_failure);
    task_group(const task_group&) = delete;
    task_group& operator=(const task_group&) = delete;

    // Starts a task. The task must end by itself when its owner is told to stop.
    void spawn(std::string name, asio::awaitable<void> task);

    // Returns when no task is left.
    asio::awaitable<void> join();

    // The same, but no longer than until `limit`; true: no task is left.
    asio::awaitable<bool> join_until(std::chrono::steady_clock::time_point limit);

    std::size_t size() const { return running_; }
    const asio::any_io_executor& executor() const { return executor_; }

 private:
    void finished(const std::string& name, const std::exception_ptr& error);

    asio::any_io_executor executor_;
    failure_handler on_failure_;
    signal ended_;
    std::size_t running_ = 0;
};

}  // namespace postrider::net
