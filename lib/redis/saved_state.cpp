#include "redis/saved_state.hpp"

#include <algorithm>
#include <cstdlib>

#include "event/numbering.hpp"
#include "redis/names.hpp"

namespace postrider::redis {
namespace {

core::result<void> first_error(const std::vector<reply>& replies) {
    for (const auto& r : replies)
        if (r.is_error()) return core::failure{core::errc::server_error, r.text};
    return boost::system::in_place_value;
}

std::uint64_t count(const std::string& text) {
    return static_cast<std::uint64_t>(std::strtod(text.c_str(), nullptr));
}

}  // namespace

asio::awaitable<core::result<saved_state>> load_state(cache& values, std::string bridge) {
    saved_state state;
    auto wanted = context_pattern(bridge);
    auto contexts = co_await values.load(std::move(wanted));
    if (!contexts) co_return contexts.error();
    wanted = delay_and_letter_pattern(bridge);
    auto others = co_await values.load(std::move(wanted));
    if (!others) co_return others.error();
    state.contexts = std::move(*contexts);
    auto delays = delay_pattern(bridge);
    delays.pop_back();  // the asterisk
    for (auto& one : *others)
        (one.first.starts_with(delays) ? state.delays : state.letters).push_back(std::move(one));
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
