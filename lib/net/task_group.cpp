#include "net/task_group.hpp"

namespace postrider::net {

task_group::task_group(asio::any_io_executor executor, failure_handler on_failure)
    : executor_(std::move(executor)), on_failure_(std::move(on_failure)), ended_(executor_) {}

void task_group::spawn(std::string name, asio::awaitable<void> task) {
    ++running_;
    asio::co_spawn(
        executor_, std::move(task),
        [this, name = std::move(name)](const std::exception_ptr& error) { finished(name, error); });
}

asio::awaitable<void> task_group::join() {
    while (running_ != 0)
        co_await ended_.wait();
}

asio::awaitable<bool> task_group::join_until(std::chrono::steady_clock::time_point limit) {
    while (running_ != 0 && std::chrono::steady_clock::now() < limit)
        co_await ended_.wait_until(limit);
    co_return running_ == 0;
}

void task_group::finished(const std::string& name, const std::exception_ptr& error) {
    --running_;
    ended_.notify();
    if (!error) return;
    try {
        std::rethrow_exception(error);
    } catch (const std::exception& e) {
        on_failure_(name, e.what());
    }
}

}  // namespace postrider::net
