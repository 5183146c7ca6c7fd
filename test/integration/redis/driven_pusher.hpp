#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "driven_client.hpp"
#include "redis/pusher.hpp"
#include "redis/saved_state.hpp"

namespace postrider::test {

// A pusher with one target, "q", and one route, "r", whose loop turns only while the test waits. An entry of
// a stream has its body's "length" beside it.
class driven_pusher {
 public:
    driven_pusher(std::uint16_t port, std::string writer, event::target_kind kind = event::target_kind::list,
                  std::string_view bridge = redis::default_bridge);
    driven_pusher(const driven_pusher&) = delete;
    driven_pusher& operator=(const driven_pusher&) = delete;
    ~driven_pusher();

    redis::pusher* operator->() { return pusher_.get(); }
    redis::client& client() { return *client_; }

    // Claims the target; true: it was this writer's all the time.
    bool claims();
    // Sends a claim, and drops the connection before the answer.
    void claims_in_vain();
    // Carries from now on.
    void leads() { pusher_->lead(); }
    void push(std::string body, std::uint64_t number = 0, std::string key = {});
    bool until(const std::function<bool()>& condition) { return client_.until(condition); }
    // Everything is delivered and saved.
    bool until_done();
    redis::saved_place saved_place();

    std::size_t line = 0;
    redis::place place;                  // of the route
    std::vector<std::string> delivered;  // bodies
    std::vector<std::string> refused;
    std::vector<std::string> deposed;  // why

 private:
    redis::pusher_sink sink();

    driven_client client_;
    std::unique_ptr<redis::pusher> pusher_;
    bool ended_ = false;
};

}  // namespace postrider::test
