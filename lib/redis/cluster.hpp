#pragma once

#include <map>
#include <memory>
#include <optional>

#include "core/backoff.hpp"
#include "net/task_group.hpp"
#include "redis/node.hpp"
#include "redis/question.hpp"
#include "redis/slot_map.hpp"

namespace postrider::redis {

// A Redis cluster: a supervised connection to each primary, and a map of the slots that is asked for again
// when a reply shows that it is old, when a primary is lost, and at the ping's interval.
class cluster : public link {
 public:
    cluster(const asio::any_io_executor& executor, options o);
    ~cluster() override;

    asio::awaitable<void> run() override;
    asio::awaitable<core::result<std::vector<reply>>> execute(pipeline commands) override;
    asio::awaitable<core::result<std::vector<reply>>> execute_at(address server, pipeline commands) override;
    void reconnect(std::string_view why) override;
    void stop() override;
    bool connected() const override;
    std::vector<address> primaries() const override;

 private:
    struct member {
        std::shared_ptr<node> way;
        // A server that ASK named may have no slot of its own yet: it is kept until then.
        core::steady::time_point guest_until{};
    };

    asio::awaitable<core::result<slot_map>> ask_for_slots();
    asio::awaitable<void> rest();
    asio::awaitable<void> run_member(std::shared_ptr<node> way);
    std::vector<address> whom_to_ask() const;
    void adopt(slot_map slots);
    void tell_moves(const slot_map& slots) const;
    void look_failed(const core::failure& why);
    void invite(const address& server, core::steady::time_point guest_until);
    void member_changed(const address& server, bool connected);
    void update_state();
    bool all_connected() const;
    std::vector<address> reachable() const;
    void look_again();
    core::failure not_connected() const;

    asio::any_io_executor executor_;
    const options settings_;
    const std::string where_;
    slot_map slots_;
    std::map<address, member> members_;
    std::optional<address> answered_last_;
    question question_;
    core::backoff pace_;
    net::signal wake_;
    core::steady::time_point lost_at_{};
    std::uint64_t failed_looks_ = 0;  // since the last that succeeded
    bool wanted_ = false;             // a look at the slots
    bool complete_ = false;           // every primary has been tried once
    net::task_group tasks_;
};

}  // namespace postrider::redis
