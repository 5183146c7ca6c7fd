#include "redis/question.hpp"

#include "redis/session.hpp"

namespace postrider::redis {

question::question(const asio::any_io_executor& executor)
    : executor_(executor), tasks_(executor, [this](std::string_view, std::string_view words) {
          if (session_)
              session_->close({core::errc::connection_lost,
                               "a bug in Postrider: a question ended with: " + std::string(words)});
      }) {}

question::~question() = default;

asio::awaitable<core::result<std::vector<reply>>> question::ask(options server, pipeline commands,
                                                                std::chrono::milliseconds limit) {
    if (cancelled_) co_return core::failure{core::errc::stopped, "stopped"};
    server_ = std::move(server);
    server_.connect_timeout = limit;
    server_.command_timeout = limit;
    commands_ = std::move(commands);
    answer_.reset();
    session::events events;
    events.ready = [this] { tasks_.spawn("question", speak()); };
    events.pinged = [](std::chrono::microseconds) {};
    session_ = std::make_unique<session>(executor_, server_, std::move(events));
    core::failure why = co_await session_->run();
    co_await tasks_.join();
    session_.reset();
    if (cancelled_) co_return core::failure{core::errc::stopped, "stopped"};
    if (answer_) co_return std::move(*answer_);
    co_return why;
}

asio::awaitable<void> question::speak() {
    call c(executor_, commands_.size());
    session_->submit(c, std::move(commands_));
    co_await c.wait();
    answer_.emplace(c.take());
    session_->close({core::errc::stopped, "answered"});
}

void question::cancel() {
    cancelled_ = true;
    if (session_) session_->close({core::errc::stopped, "stopped"});
}

}  // namespace postrider::redis
