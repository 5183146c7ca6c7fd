#include "service/replay.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "event/stream_fields.hpp"
#include "redis/classify.hpp"
#include "redis/replay.hpp"
#include "service/replay_channel.hpp"

namespace postrider::service {
namespace {

using event::dead_letter;
using http::letter_answer;
using http::letter_outcome;

constexpr std::chrono::seconds replay_patience{10};
// What pg_notify takes (PostgreSQL documentation, NOTIFY).
constexpr std::size_t longest_notification = 7'999;

net::deadline replay_limit() {
    return core::steady::now() + replay_patience;
}

letter_answer refused(std::string words) {
    return {letter_outcome::refused, std::move(words)};
}

redis::reply answer_with(const std::string& words) {
    redis::reply answer;
    answer.type = redis::reply::kind::error;
    answer.text = words;
    return answer;
}

// Redis has refused it for good, not for now.
bool is_refused(const core::failure& why) {
    return why.code == core::errc::server_error &&
           redis::classify(answer_with(why.message)) == redis::verdict::permanent;
}

asio::awaitable<letter_answer> replay_event(postgres::connection& db, const configuration& c,
                                            postgres::stored_letter stored) {
    const auto& l = stored.letter;
    const auto route = std::find_if(c.routes.begin(), c.routes.end(),
                                    [&](const event::route& r) { return r.name == l.route; });
    if (route == c.routes.end())
        co_return refused(
            fmt::format("the route '{}' is not configured any more, so nobody would take it", l.route));
    if (l.payload.size() > longest_notification)
        co_return refused(
            fmt::format("{} bytes are more than a notification can carry, {}; it came by a "
                        "catch-up query, which brings it again",
                        l.payload.size(), longest_notification));
    auto channel = route->channel;
    std::optional<postgres::announcement> first;
    if (shares_channel(c.routes, *route)) {
        first.emplace();
        first->channel = replay_channel;
        first->payload = route->name;
    }
    const auto done = co_await postgres::replay_event(db, stored.number, std::move(channel), std::move(first),
                                                      replay_limit());
    if (!done) co_return answer_of(done.error());
    letter_answer answer;
    if (!*done) answer.outcome = letter_outcome::unknown;
    co_return answer;
}

asio::awaitable<letter_answer> replay_push(postgres::connection& db, redis::client& redis,
                                           const configuration& c, postgres::stored_letter stored) {
    const auto earlier = co_await postgres::earlier_push(db, stored.number, replay_limit());
    if (!earlier) co_return answer_of(earlier.error());
    if (*earlier) co_return comes_behind(std::to_string(**earlier));
    auto letter = stored.letter;
    auto fields = event::stream_fields(c.routes, letter);
    const auto pushed = co_await redis::push_again(redis, std::move(letter), std::move(fields));
    if (!pushed && is_refused(pushed.error())) {
        auto reason = std::string(redis::code_of(answer_with(pushed.error().message)));
        auto words = pushed.error().message;
        const auto noted = co_await postgres::note_failed_replay(db, stored.number, std::move(reason),
                                                                 std::move(words), replay_limit());
        if (!noted) co_return answer_of(noted.error());
        co_return refused("Redis refuses it again: " + pushed.error().message);
    }
    if (!pushed) co_return push_failed(pushed.error());
    event::letter_filter this_one;
    this_one.ids.push_back(stored.number);
    const auto gone =
        co_await postgres::drop_letters(db, std::move(this_one), stored.number, 1, replay_limit());
    if (!gone) co_return answer_of(gone.error());
    // The ledger goes by itself too, only later.
    auto done = std::move(stored.letter);
    co_await redis::forget_push(redis, std::move(done));
    letter_answer answer;
    co_return answer;
}

}  // namespace

http::letter_answer comes_behind(const std::string& earlier) {
    return refused(fmt::format(
        "dead letter {} of the same route and key comes first; replay or drop that one", earlier));
}

http::letter_answer answer_of(const core::failure& why) {
    const bool refuses = why.code == core::errc::server_error || why.code == core::errc::invalid_input;
    return {refuses ? letter_outcome::refused : letter_outcome::away, why.message};
}

http::letter_answer push_failed(const core::failure& why) {
    if (why.code != core::errc::server_error || is_refused(why)) return answer_of(why);
    return {letter_outcome::away, why.message};
}

asio::awaitable<http::letter_answer> replay_stored(postgres::connection& db, redis::client& redis,
                                                   const configuration& c, postgres::stored_letter stored) {
    if (stored.letter.kind == dead_letter::origin::event) return replay_event(db, c, std::move(stored));
    return replay_push(db, redis, c, std::move(stored));
}

http::letter shown(const postgres::stored_letter& stored, bool in_memory) {
    const auto& l = stored.letter;
    http::letter s;
    s.id = fmt::format("{}{}", in_memory ? "m" : "", stored.number);
    s.kind = event::name(l.kind);
    s.route = l.route;
    s.channel = l.channel;
    s.key = l.key;
    s.reason = l.reason;
    s.error = l.error;
    if (l.kind == dead_letter::origin::push) {
        s.target_kind = event::name(l.target.kind);
        s.target = l.target.name;
    }
    s.payload = l.payload;
    s.attempts = l.attempts;
    s.first = l.first;
    s.last = l.last;
    return s;
}

}  // namespace postrider::service
