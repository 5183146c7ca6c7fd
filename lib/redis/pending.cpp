#include "redis/pending.hpp"

#include <utility>

namespace postrider::redis {

call::call(const asio::any_io_executor& executor, std::size_t commands)
    : commands_(commands), over_(executor) {
    replies_.reserve(commands);
}

call::~call() {
    if (line_ != nullptr) line_->leave(*this);
}

asio::awaitable<void> call::wait() {
    while (line_ != nullptr)
        co_await over_.wait();
}

core::result<std::vector<reply>> call::take() {
    if (error_) return std::move(*error_);
    return std::move(replies_);
}

pending::~pending() {
    for (const place& p : line_)
        if (p.who != nullptr) p.who->line_ = nullptr;
}

void pending::add(call& c, core::steady::time_point now) {
    if (line_.empty()) waiting_since_ = now;
    line_.push_back({&c, c.commands_});
    c.line_ = this;
}

bool pending::take(reply r, core::steady::time_point now) {
    if (line_.empty()) return false;
    waiting_since_ = now;
    forgiven_ = false;
    place& front = line_.front();
    if (front.who != nullptr) front.who->replies_.push_back(std::move(r));
    if (--front.left != 0) return true;
    if (front.who != nullptr) {
        front.who->line_ = nullptr;
        front.who->over_.notify();
    }
    line_.pop_front();
    return true;
}

void pending::fail(const core::failure& why) {
    for (const place& p : std::exchange(line_, {})) {
        if (p.who == nullptr) continue;
        p.who->error_ = why;
        p.who->line_ = nullptr;
        p.who->over_.notify();
    }
}

bool pending::forgive(core::steady::time_point now) {
    if (std::exchange(forgiven_, true)) return false;
    waiting_since_ = now;
    return true;
}

void pending::leave(const call& c) {
    for (place& p : line_)
        if (p.who == &c) p.who = nullptr;
}

}  // namespace postrider::redis
