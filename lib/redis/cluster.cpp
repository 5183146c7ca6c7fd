#include "redis/cluster.hpp"

#include <algorithm>
#include <deque>
#include <random>
#include <utility>

#include "core/log_line.hpp"
#include "redis/scatter.hpp"
#include "redis/slot.hpp"

namespace postrider::redis {
namespace {

using clock = core::steady;
using core::milliseconds;

constexpr milliseconds shortest_rest{50};
constexpr std::chrono::minutes guest_time{1};
constexpr milliseconds longest_member_wait{5'000};

options to_server(options o, const address& server) {
    o.mode = topology::single;
    o.host = server.host;
    o.port = server.port;
    o.backoff_cap = std::min(o.backoff_cap, longest_member_wait);
    return o;
}

}  // namespace

cluster::cluster(const asio::any_io_executor& executor, options o)
    : link(executor),
      executor_(executor),
      settings_(std::move(o)),
      where_(describe(settings_)),
      question_(executor),
      pace_(milliseconds(100), milliseconds(1'000), std::random_device{}()),
      wake_(executor),
      lost_at_(clock::now()),
      tasks_(executor, [this](std::string_view task, std::string_view words) {
          core::log_critical("redis {}: task '{}' failed, which is a bug: {}", where_, task, words);
          stop();
      }) {}

cluster::~cluster() = default;

asio::awaitable<void> cluster::run() {
    while (!health_.stopping) {
        wanted_ = false;
        auto slots = co_await ask_for_slots();
        if (health_.stopping) break;
        if (!slots) {
            look_failed(slots.error());
        } else if (!complete_ && slots->missing() != 0) {
            // Whoever begins wants to see everything that is saved.
            const core::failure why{core::errc::server_error,
                                    fmt::format("{} slots of the cluster have no server", slots->missing())};
            look_failed(why);
        } else {
            adopt(std::move(*slots));
        }
        co_await rest();
    }
    co_await tasks_.join();
    members_.clear();
    health_.enter(link_state::stopped);
}

std::vector<address> cluster::whom_to_ask() const {
    std::vector<address> all;
    const auto add = [&](const address& a) {
        if (std::find(all.begin(), all.end(), a) == all.end()) all.push_back(a);
    };
    if (answered_last_) add(*answered_last_);
    for (const auto& [server, m] : members_)
        if (m.way->connected()) add(server);
    for (const auto& [server, m] : members_)
        add(server);
    for (const auto& server : settings_.seeds)
        add(server);
    return all;
}

asio::awaitable<core::result<slot_map>> cluster::ask_for_slots() {
    const auto servers = whom_to_ask();
    const auto each =
        std::max(settings_.connect_timeout / static_cast<int>(servers.size()), milliseconds(500));
    core::failure why{core::errc::refused, "no node of the cluster answers"};
    for (const auto& server : servers) {
        auto to = to_server(settings_, server);
        pipeline commands;
        commands.add({"CLUSTER", "SLOTS"});
        const auto answered = co_await question_.ask(std::move(to), std::move(commands), each);
        if (answered) {
            auto slots = slot_map::read(answered->front(), server.host);
            if (slots) {
                answered_last_ = server;
                co_return slots;
            }
            why.message += "; " + to_text(server) + ": " + slots.error().message;
        } else {
            why.message += "; " + to_text(server) + ": " + answered.error().message;
        }
        if (health_.stopping) break;
    }
    answered_last_.reset();
    co_return why;
}

asio::awaitable<void> cluster::rest() {
    const auto began = clock::now();
    const auto unsettled = pace_.next();
    while (!health_.stopping) {
        const bool settled = all_connected() && failed_looks_ == 0;
        if (settled) pace_.reset();
        auto until = began + (settled ? settings_.ping_interval : unsettled);
        if (wanted_) until = std::min(until, began + shortest_rest);
        if (clock::now() >= until) co_return;
        co_await wake_.wait_until(until);
    }
}

void cluster::look_failed(const core::failure& why) {
    ++failed_looks_;
    health_.now.last_error = why.message;
    // It looks about once a second: the first times are told, then ever fewer.
    if ((failed_looks_ & (failed_looks_ - 1)) == 0)
        core::log_warning("redis {}: attempt {} failed: {}", where_, failed_looks_, why.message);
    update_state();
}

void cluster::adopt(slot_map slots) {
    failed_looks_ = 0;
    tell_moves(slots);
    slots_ = std::move(slots);
    for (const auto& server : slots_.primaries())
        invite(server, {});
    const auto& named = slots_.primaries();
    for (auto at = members_.begin(); at != members_.end();) {
        const bool stays = std::binary_search(named.begin(), named.end(), at->first) ||
                           clock::now() < at->second.guest_until;
        if (!stays) at->second.way->stop();
        at = stays ? std::next(at) : members_.erase(at);
    }
    update_state();
}

void cluster::tell_moves(const slot_map& slots) const {
    std::map<std::pair<address, address>, unsigned> moved;
    for (std::uint16_t slot = 0; slot < cluster_slots; ++slot) {
        const auto* from = slots_.primary_of(slot);
        const auto* to = slots.primary_of(slot);
        if (from != nullptr && to != nullptr && *from != *to) ++moved[{*from, *to}];
    }
    for (const auto& [way, count] : moved)
        core::log_warning("redis {}: {} went from {} to {}", where_,
                          count == 1 ? std::string("1 slot") : fmt::format("{} slots", count),
                          to_text(way.first), to_text(way.second));
}

void cluster::invite(const address& server, clock::time_point guest_until) {
    auto& m = members_[server];
    m.guest_until = std::max(m.guest_until, guest_until);
    if (m.way) return;
    node::observer watcher;
    watcher.changed = [this, server](bool now) { member_changed(server, now); };
    watcher.pinged = [this](std::chrono::microseconds round_trip) { health_.pinged(round_trip); };
    m.way = std::make_shared<node>(executor_, to_server(settings_, server), std::move(watcher));
    tasks_.spawn(to_text(server), run_member(m.way));
}

asio::awaitable<void> cluster::run_member(std::shared_ptr<node> way) {
    co_await way->run();
}

void cluster::member_changed(const address& server, bool now_connected) {
    const auto at = members_.find(server);
    if (at == members_.end()) return;
    const auto& member_now = at->second.way->health();
    if (now_connected) {
        ++health_.generation;
        wake_.notify();  // perhaps the last that was missing
        if (member_now.generation > 1) ++health_.now.reconnects;
    } else {
        health_.now.last_error = to_text(server) + ": " + member_now.now.last_error;
        look_again();
    }
    update_state();
    if (now_connected && health_.connected_anew) health_.connected_anew();
}

void cluster::update_state() {
    auto& now = health_.now;
    if (!complete_)
        complete_ = !members_.empty() && std::all_of(members_.begin(), members_.end(), [](const auto& m) {
            const auto& h = m.second.way->health();
            return h.generation != 0 || h.now.attempts != 0;
        });
    now.attempts = 0;
    if (connected()) {
        if (now.state == link_state::connected) return health_.changed.notify();
        core::log_info("redis {}: connected to {} primaries", where_, reachable().size());
        now.outage = std::chrono::duration_cast<milliseconds>(clock::now() - lost_at_);
        return health_.enter(link_state::connected);
    }
    now.attempts = failed_looks_;
    for (const auto& [server, m] : members_)
        now.attempts += m.way->health().now.attempts;
    if (now.state != link_state::connected) return;
    lost_at_ = clock::now();
    health_.enter(link_state::waiting);
}

bool cluster::connected() const {
    return complete_ && !health_.stopping && std::any_of(members_.begin(), members_.end(), [](const auto& m) {
               return m.second.way->connected();
           });
}

bool cluster::all_connected() const {
    return !members_.empty() && std::all_of(members_.begin(), members_.end(),
                                            [](const auto& m) { return m.second.way->connected(); });
}

std::vector<address> cluster::primaries() const {
    if (!connected()) return {};
    return slots_.primaries();
}

std::vector<address> cluster::reachable() const {
    std::vector<address> all;
    for (const auto& [server, m] : members_)
        if (m.way->connected()) all.push_back(server);
    return all;
}

core::failure cluster::not_connected() const {
    if (health_.stopping) return {core::errc::stopped, "the Redis client is stopped"};
    std::string words = "no connection to " + where_;
    if (!health_.now.last_error.empty()) words += ": " + health_.now.last_error;
    return {core::errc::connection_lost, std::move(words)};
}

asio::awaitable<core::result<std::vector<reply>>> cluster::execute(pipeline commands) {
    if (!connected()) co_return not_connected();
    scatter way(std::move(commands));
    for (;;) {
        auto parts = way.next(slots_, reachable());
        if (parts.empty()) break;
        // All parts are under way before the first reply is waited for.
        std::deque<call> calls;
        for (auto& part : parts) {
            calls.emplace_back(executor_, part.commands.size());
            members_.at(part.to).way->submit(calls.back(), std::move(part.commands));
        }
        for (std::size_t i = 0; i < calls.size(); ++i) {
            co_await calls[i].wait();
            way.answered(i, calls[i].take());
        }
        if (health_.stopping) co_return not_connected();
    }
    for (const auto& server : way.strangers())
        invite(server, clock::now() + guest_time);
    if (way.map_is_old()) look_again();
    co_return way.take();
}

asio::awaitable<core::result<std::vector<reply>>> cluster::execute_at(address server, pipeline commands) {
    const auto at = members_.find(server);
    if (at == members_.end() || !at->second.way->connected())
        co_return core::failure{core::errc::connection_lost, "no connection to " + to_text(server)};
    const auto way = at->second.way;
    co_return co_await way->execute(std::move(commands));
}

void cluster::look_again() {
    wanted_ = true;
    wake_.notify();
}

void cluster::reconnect(std::string_view) {
    look_again();
}

void cluster::stop() {
    if (health_.stopping) return;
    health_.stopping = true;
    question_.cancel();
    for (const auto& [server, m] : members_)
        m.way->stop();
    wake_.notify();
    health_.changed.notify();
}

}  // namespace postrider::redis
