#include "redis/server_info.hpp"

#include <fmt/format.h>

#include <charconv>
#include <span>

namespace postrider::redis {
namespace {

std::int64_t count_in(std::string_view text) {
    std::int64_t n = 0;
    std::from_chars(text.data(), text.data() + text.size(), n);
    return n;
}

// As Redis writes it: "1.05M".
std::string human(std::int64_t bytes) {
    auto n = static_cast<double>(bytes);
    constexpr std::string_view units = "BKMGTP";
    std::size_t unit = 0;
    for (; n >= 1024 && unit + 1 < units.size(); ++unit)
        n /= 1024;
    return fmt::format("{:.2f}{}", n, units[unit]);
}

void ask_sizes(pipeline& p, const std::vector<std::string>& lists, const std::vector<ledger>& ledgers) {
    for (const auto& name : lists)
        p.add({"LLEN", name});
    for (const auto& l : ledgers) {
        p.add({"EXISTS", l.last_batch});
        for (const auto& set : l.sets)
            p.add({"ZCARD", set});
    }
}

// An error counts as nothing there: a user without rights to look is no reason to show nothing at all.
void read_ledger(std::span<const reply> replies, ledger_size& size) {
    for (const auto& r : replies) {
        if (r.is_error() || r.integer == 0) continue;
        ++size.keys;
        size.entries += r.integer;
    }
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

void add_info(server_info& sum, std::string_view text) {
    sum.connected_clients += count_in(info_field(text, "connected_clients"));
    sum.total_commands_processed += count_in(info_field(text, "total_commands_processed"));
    sum.keyspace_hits += count_in(info_field(text, "keyspace_hits"));
    sum.keyspace_misses += count_in(info_field(text, "keyspace_misses"));
    const bool first = sum.used_memory_human.empty();
    sum.used_memory += count_in(info_field(text, "used_memory"));
    sum.used_memory_human =
        first ? std::string(info_field(text, "used_memory_human")) : human(sum.used_memory);
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

asio::awaitable<core::result<server_info>> ask_server(client& redis, std::vector<std::string> lists,
                                                      std::vector<ledger> ledgers) {
    server_info info;
    const auto alive = co_await ping(redis);
    if (!alive) co_return alive.error();
    info.ping = *alive;

    pipeline p;
    ask_sizes(p, lists, ledgers);
    const auto lengths = co_await redis.execute(std::move(p));
    if (!lengths) co_return lengths.error();
    for (std::size_t i = 0; i < lists.size(); ++i) {
        const auto& length = (*lengths)[i];
        info.lists.emplace_back(lists[i], length.is_error() ? -1 : length.integer);
    }
    std::size_t at = lists.size();
    for (auto& l : ledgers) {
        auto& size = info.ledgers.emplace_back(std::move(l.target), ledger_size{}).second;
        const auto count = 1 + l.sets.size();
        read_ledger(std::span(*lengths).subspan(at, count), size);
        at += count;
    }
    auto servers = redis.primaries();
    for (auto& server : servers) {
        pipeline question;
        question.add({"INFO"});
        const auto answered = co_await redis.execute_at(std::move(server), std::move(question));
        if (!answered && servers.size() == 1) co_return answered.error();
        if (!answered) continue;
        add_info(info, answered->front().text);
    }
    co_return info;
}

}  // namespace postrider::redis
