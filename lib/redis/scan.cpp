#include "redis/scan.hpp"

#include <utility>

namespace postrider::redis {
namespace {

using names = std::set<std::string>;

// SCAN may return a key twice, hence the set.
asio::awaitable<core::result<void>> scan_one(client& redis, address server, std::string pattern,
                                             std::size_t limit, names& found) {
    std::string cursor = "0";
    do {
        pipeline p;
        p.add({"SCAN", cursor, "MATCH", pattern, "COUNT", "1000"});
        auto to = server;
        const auto answered = co_await redis.execute_at(std::move(to), std::move(p));
        if (!answered) co_return answered.error();
        const auto& page = answered->front();
        if (page.is_error()) co_return core::failure{core::errc::server_error, page.text};
        if (page.items.size() != 2)
            co_return core::failure{core::errc::protocol, "an unknown answer to SCAN"};
        cursor = page.items[0].text;
        for (const auto& key : page.items[1].items)
            if (found.size() < limit) found.insert(key.text);
    } while (cursor != "0" && found.size() < limit);
    co_return boost::system::in_place_value;
}

}  // namespace

asio::awaitable<core::result<std::set<std::string>>> scan(client& redis, std::string pattern,
                                                          std::size_t limit) {
    names found;
    const auto servers = redis.primaries();
    if (servers.empty()) co_return core::failure{core::errc::connection_lost, "Redis is away"};
    // A slot may move from a node that is still to be asked to one that was asked before; the second time its
    // keys stand where they went.
    const int times = servers.size() == 1 ? 1 : 2;
    for (int i = 0; i < times; ++i)
        for (const auto& server : servers) {
            auto where = server;
            auto wanted = pattern;
            const auto scanned = co_await scan_one(redis, std::move(where), std::move(wanted), limit, found);
            if (!scanned) co_return scanned.error();
        }
    co_return found;
}

}  // namespace postrider::redis
