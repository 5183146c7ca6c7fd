#include "redis/server_info.hpp"

#include <charconv>

namespace postrider::redis {
namespace {

std::int64_t number(std::string_view text) {
    std::int64_t n = 0;
    std::from_chars(text.data(), text.data() + text.size(), n);
    return n;
}

}  // namespace

std::string_view info_field(std::string_view info, std::string_view field) {
    for (std::size_t at = 0; at < info.size();) {
        const auto end = std::min(info.find('\n', at), info.size());
        auto line = info.substr(at, end - at);
        if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
        if (line.size() > field.size() && line.starts_with(field) && line[field.size()] == ':')
            return line.substr(field.size() + 1);
        at = end + 1;
    }
    return {};
}

asio::awaitable<core::result<std::chrono::microseconds>> ping(client& redis) {
    const auto asked = core::steady::now();
    pipeline p;
    p.add({"PING"});
    const auto answered = co_await redis.execute(std::move(p));
    if (!answered) co_return answered.error();
    if (answered->front().is_error())
        co_return core::failure{core::errc::server_error, answered->front().text};
    co_return std::chrono::duration_cast<std::chrono::microseconds>(core::steady::now() - asked);
}

asio::awaitable<core::result<server_info>> ask_server(client& redis, std::vector<std::string> lists) {
    server_info info;
    const auto alive = co_await ping(redis);
    if (!alive) co_return alive.error();
    info.ping = *alive;

    pipeline p;
    p.add({"INFO"});
    for (const auto& name : lists)
        p.add({"LLEN", name});
    const auto answered = co_await redis.execute(std::move(p));
    if (!answered) co_return answered.error();
    const std::string_view text = answered->front().text;
    info.connected_clients = number(info_field(text, "connected_clients"));
    info.used_memory_human = info_field(text, "used_memory_human");
    info.total_commands_processed = number(info_field(text, "total_commands_processed"));
    info.keyspace_hits = number(info_field(text, "keyspace_hits"));
    info.keyspace_misses = number(info_field(text, "keyspace_misses"));
    for (std::size_t i = 0; i < lists.size(); ++i) {
        const auto& length = (*answered)[i + 1];
        info.lists.emplace_back(lists[i], length.is_error() ? -1 : length.integer);
    }
    co_return info;
}

}  // namespace postrider::redis
