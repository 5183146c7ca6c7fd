#include "redis/saved_state.hpp"

#include <algorithm>
#include <cstdlib>
#include <set>

#include "event/numbering.hpp"
#include "redis/names.hpp"

namespace postrider::redis {
namespace {

using names = std::set<std::string>;

core::result<void> first_error(const std::vector<reply>& replies) {
    for (const auto& r : replies)
        if (r.is_error()) return core::failure{core::errc::server_error, r.text};
    return boost::system::in_place_value;
}

// SCAN may return a key twice, hence the set.
asio::awaitable<core::result<void>> scan(client& redis, address server, std::string pattern, names& found) {
    std::string cursor = "0";
    do {
        pipeline p;
        p.add({"SCAN", cursor, "MATCH", pattern, "COUNT", "1000"});
        auto to = server;
        const auto answered = co_await redis.execute_at(std::move(to), std::move(p));
        if (!answered) co_return answered.error();
        const auto fine = first_error(*answered);
        if (!fine) co_return fine.error();
        const auto& page = answered->front();
        if (page.items.size() != 2)
            co_return core::failure{core::errc::protocol, "an unknown answer to SCAN"};
        cursor = page.items[0].text;
        for (const auto& key : page.items[1].items)
            found.insert(key.text);
    } while (cursor != "0");
    co_return boost::system::in_place_value;
}

using texts = std::vector<std::pair<std::string, std::string>>;

asio::awaitable<core::result<texts>> load_all(client& redis, std::string pattern) {
    names found;
    auto servers = redis.primaries();
    if (servers.empty()) co_return core::failure{core::errc::connection_lost, "Redis is away"};
    // A slot may move from a node that is still to be asked to one that was asked before; the second time its
    // keys stand where they went.
    const int times = servers.size() == 1 ? 1 : 2;
    for (int i = 0; i < times; ++i)
        for (const auto& server : servers) {
            auto where = server;
            auto wanted = pattern;
            const auto scanned = co_await scan(redis, std::move(where), std::move(wanted), found);
            if (!scanned) co_return scanned.error();
        }
    texts all;
    for (auto at = found.begin(); at != found.end();) {
        pipeline p;
        std::vector<const std::string*> asked;
        for (; at != found.end() && asked.size() < 500; ++at) {
            p.add({"GET", *at});
            asked.push_back(&*at);
        }
        const auto answered = co_await redis.execute(std::move(p));
        if (!answered) co_return answered.error();
        for (std::size_t i = 0; i < asked.size(); ++i) {
            const auto& r = (*answered)[i];
            if (r.text.starts_with("CLUSTERDOWN")) co_return core::failure{core::errc::server_error, r.text};
            // Somebody else's key of another type answers WRONGTYPE, one that has just expired nil.
            if (r.type == reply::kind::string) all.emplace_back(*asked[i], r.text);
        }
    }
    co_return all;
}

std::uint64_t count(const std::string& text) {
    return static_cast<std::uint64_t>(std::strtod(text.c_str(), nullptr));
}

}  // namespace

asio::awaitable<core::result<saved_state>> load_state(client& redis) {
    saved_state state;
    auto contexts = co_await load_all(redis, std::string(context_pattern));
    if (!contexts) co_return contexts.error();
    auto delays = co_await load_all(redis, std::string(delay_pattern));
    if (!delays) co_return delays.error();
    state.contexts = std::move(*contexts);
    state.delays = std::move(*delays);
    co_return state;
}

asio::awaitable<core::result<saved_progress>> load_progress(client& redis, std::string caught_up_name,
                                                            std::string seen_name) {
    pipeline p;
    p.add({"GET", caught_up_name});
    p.add({"ZRANGE", seen_name, "0", "-1", "WITHSCORES"});
    const auto answered = co_await redis.execute(std::move(p));
    if (!answered) co_return answered.error();
    const auto fine = first_error(*answered);
    if (!fine) co_return fine.error();
    saved_progress progress;
    progress.caught_up = (*answered)[0].text;
    const auto& pairs = (*answered)[1].items;
    for (std::size_t i = 0; i + 1 < pairs.size(); i += 2)
        progress.seen.emplace_back(pairs[i].text, std::strtod(pairs[i + 1].text.c_str(), nullptr));
    co_return progress;
}

asio::awaitable<core::result<saved_place>> load_place(client& redis, std::string place_name,
                                                      std::string behind_name) {
    pipeline p;
    p.add({"HMGET", place_name, "markers", "marker", "base", "number"});
    p.add({"ZRANGE", behind_name, "0", "-1", "WITHSCORES"});
    const auto answered = co_await redis.execute(std::move(p));
    if (!answered) co_return answered.error();
    const auto fine = first_error(*answered);
    if (!fine) co_return fine.error();
    saved_place place;
    const auto& fields = (*answered)[0].items;
    if (fields.size() != 4) co_return core::failure{core::errc::protocol, "an unknown answer to HMGET"};
    place.markers = event::read_markers(fields[0].text);
    // A push tells the last marker only.
    event::marked_number last{fields[1].text, count(fields[2].text)};
    const auto same = [&](const event::marked_number& m) { return m.marker == last.marker; };
    if (!last.marker.empty() && std::none_of(place.markers.begin(), place.markers.end(), same))
        event::numbering::add(place.markers, std::move(last));
    place.number = count(fields[3].text);
    const auto& pairs = (*answered)[1].items;
    for (std::size_t i = 0; i + 1 < pairs.size(); i += 2)
        place.behind.emplace_back(pairs[i].text, count(pairs[i + 1].text));
    co_return place;
}

}  // namespace postrider::redis
