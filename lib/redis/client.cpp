#include "redis/client.hpp"

#include <utility>

#include "redis/cluster.hpp"
#include "redis/node.hpp"

namespace postrider::redis {
namespace {

std::unique_ptr<link> make_link(const asio::any_io_executor& executor, const options& o) {
    if (o.mode == topology::cluster) return std::make_unique<cluster>(executor, o);
    return std::make_unique<node>(executor, o);
}

}  // namespace

client::client(const asio::any_io_executor& executor, options o)
    : settings_(std::move(o)), link_(make_link(executor, settings_)) {}

client::~client() = default;

asio::awaitable<void> client::run() {
    return link_->run();
}

asio::awaitable<core::result<std::vector<reply>>> client::execute(pipeline commands) {
    return link_->execute(std::move(commands));
}

asio::awaitable<core::result<std::vector<reply>>> client::execute_at(address server, pipeline commands) {
    return link_->execute_at(std::move(server), std::move(commands));
}

std::vector<address> client::primaries() const {
    return link_->primaries();
}

asio::awaitable<bool> client::wait_connected() {
    while (!connected() && !link_->health().stopping)
        co_await link_->health().changed.wait();
    co_return connected();
}

void client::reconnect(std::string_view why) {
    link_->reconnect(why);
}

void client::stop() {
    link_->stop();
}

bool client::connected() const {
    return link_->connected();
}

const client::status& client::current() const {
    return link_->health().now;
}

const options& client::settings() const {
    return settings_;
}

std::uint64_t client::generation() const {
    return link_->health().generation;
}

void client::on_connect(std::function<void()> then) {
    link_->health().connected_anew = std::move(then);
}

const std::deque<std::chrono::microseconds>& client::recent_pings() const {
    return link_->health().pings;
}

}  // namespace postrider::redis
