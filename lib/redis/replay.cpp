#include "redis/replay.hpp"

#include <vector>

#include "redis/names.hpp"
#include "redis/scripts.hpp"

namespace postrider::redis {
namespace {

constexpr std::string_view replay_ledger_ttl = "2592000000";
constexpr std::string_view farewell_ttl = "3600000";

pipeline replay_command(const event::dead_letter& l, const std::vector<std::string>& fields) {
    const auto ledger = replay_ledger_name(l.target, l.token);
    const auto length = std::to_string(l.target.max_length);
    const bool remembers = !l.seen_in.empty() && !l.seen.empty();
    std::vector<std::string_view> words{"EVAL", replay_script, remembers ? "3" : "2", l.target.name, ledger};
    if (remembers) words.emplace_back(l.seen_in);
    for (const std::string_view w : {event::name(l.target.kind), std::string_view(length), replay_ledger_ttl,
                                     std::string_view(l.payload)})
        words.push_back(w);
    const auto extra = std::to_string(fields.size());
    words.emplace_back(extra);
    words.insert(words.end(), fields.begin(), fields.end());
    std::vector<std::string> scores;
    scores.reserve(l.seen.size());
    for (const auto& [time, id] : l.seen) {
        if (!remembers) break;
        words.emplace_back(scores.emplace_back(std::to_string(time)));
        words.emplace_back(id);
    }
    pipeline p;
    p.add(words);
    return p;
}

asio::awaitable<core::result<void>> run(client& redis, pipeline p) {
    auto answered = co_await redis.execute(std::move(p));
    if (!answered) co_return answered.error();
    const auto& r = answered->front();
    if (r.is_error()) co_return core::failure{core::errc::server_error, r.text};
    co_return boost::system::in_place_value;
}

}  // namespace

asio::awaitable<core::result<void>> push_again(client& redis, event::dead_letter letter,
                                               std::vector<std::string> fields) {
    auto p = replay_command(letter, fields);
    co_return co_await run(redis, std::move(p));
}

asio::awaitable<core::result<void>> forget_push(client& redis, event::dead_letter letter) {
    const auto ledger = replay_ledger_name(letter.target, letter.token);
    pipeline p;
    p.add({"PEXPIRE", ledger, farewell_ttl});
    co_return co_await run(redis, std::move(p));
}

}  // namespace postrider::redis
