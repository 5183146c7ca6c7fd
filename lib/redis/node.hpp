#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "core/backoff.hpp"
#include "net/task_group.hpp"
#include "redis/link.hpp"
#include "redis/options.hpp"
#include "redis/pending.hpp"
#include "redis/sentinels.hpp"

namespace postrider::redis {

class session;

// One supervised connection: to the server named in its options, or to the one that the sentinels name at the
// time.
class node : public link {
 public:
    // What an owner wants to hear, where there is one; both are called on the loop.
    struct observer {
        std::function<void(bool connected)> changed;
        std::function<void(std::chrono::microseconds)> pinged;
    };

    node(const asio::any_io_executor& executor, options o, observer watcher = {});
    ~node() override;

    asio::awaitable<void> run() override;
    asio::awaitable<core::result<std::vector<reply>>> execute(pipeline commands) override;
    asio::awaitable<core::result<std::vector<reply>>> execute_at(address server, pipeline commands) override;
    void reconnect(std::string_view why) override;
    void stop() override;
    bool connected() const override;
    std::vector<address> primaries() const override;

    // Sends the commands of `c`, which must not be none; only while connected().
    void submit(call& c, pipeline commands);
    core::failure not_connected() const;

 private:
    asio::awaitable<void> one_session();
    asio::awaitable<core::result<void>> find_server();
    asio::awaitable<core::failure> serve();
    asio::awaitable<void> pause(core::milliseconds length);
    asio::awaitable<void> follow_sentinels();
    void became_ready();
    void lost(const core::failure& why, bool served, core::milliseconds wait);

    asio::any_io_executor executor_;
    const options settings_;
    const observer watcher_;
    const std::string where_;
    options server_;                    // where the session goes: the settings, or what the sentinels say
    std::optional<address> served_by_;  // the last server that welcomed us
    std::optional<sentinels> sentinels_;
    std::optional<sentinels> checking_;  // the same, for the look now and then
    core::backoff waits_;
    std::unique_ptr<session> session_;
    net::signal resume_;
    net::signal check_again_;
    core::steady::time_point lost_at_{};
    net::task_group tasks_;
};

}  // namespace postrider::redis
