#include "redis/saved_state.hpp"

#include <cstdlib>
#include <set>

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
asio::awaitable<core::result<names>> scan(client& redis, std::string pattern) {
    names found;
    std::string cursor = "0";
    do {
        pipeline p;
        p.add({"SCAN", cursor, "MATCH", pattern, "COUNT", "1000"});
        const auto answered = co_await redis.execute(std::move(p));
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
    co_return found;
}

using texts = std::vector<std::pair<std::string, std::string>>;

asio::awaitable<core::result<texts>> load_all(client& redis, std::string pattern) {
    const auto found = co_await scan(redis, std::move(pattern));
    if (!found) co_return found.error();
    texts all;
    for (auto at = found->begin(); at != found->end();) {
        pipeline p;
        std::vector<const std::string*> asked;
        for (; at != found->end() && asked.size() < 500; ++at) {
            p.add({"GET", *at});
            asked.push_back(&*at);
        }
        const auto answered = co_await redis.execute(std::move(p));
        if (!answered) co_return answered.error();
        for (std::size_t i = 0; i < asked.size(); ++i) {
            const auto& r = (*answered)[i];
            // Somebody else's key of another type answers WRONGTYPE, one that has just expired nil.
            if (r.type == reply::kind::string) all.emplace_back(*asked[i], r.text);
        }
    }
    co_return all;
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

}  // namespace postrider::redis
