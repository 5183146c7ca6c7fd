#include "service/letter_desk.hpp"

#include <charconv>
#include <limits>

#include "core/log_line.hpp"
#include "event/stream_fields.hpp"
#include "postgres/dead_letters.hpp"
#include "redis/replay.hpp"
#include "service/replay.hpp"

namespace postrider::service {
namespace {

using core::steady;
using http::letter_answer;
using http::letter_outcome;

constexpr std::chrono::seconds desk_patience{10};
constexpr std::chrono::seconds lock_patience{5};
constexpr auto newest = std::numeric_limits<std::int64_t>::max();

bool is_in_memory(std::string_view id) {
    return id.starts_with('m');
}

std::int64_t number_of(std::string_view id) {
    if (is_in_memory(id)) id.remove_prefix(1);
    std::int64_t n = 0;
    std::from_chars(id.data(), id.data() + id.size(), n);
    return n;
}

// The ids of letters in the other place stand for none, so that their filter does not mean all.
event::letter_filter filter_of(const http::letter_query& asked, bool in_memory) {
    event::letter_filter f;
    f.route = asked.route;
    f.reason = asked.reason;
    f.older_than = asked.older_than;
    f.newer_than = asked.newer_than;
    for (const auto& id : asked.ids)
        f.ids.push_back(is_in_memory(id) == in_memory ? number_of(id) : 0);
    return f;
}

http::letter_page page_of(const std::vector<postgres::stored_letter>& found, std::size_t limit,
                          bool in_memory) {
    http::letter_page page;
    page.store = in_memory ? "memory" : "postgres";
    page.more = found.size() > limit;
    for (std::size_t i = 0; i < found.size() && i < limit; ++i)
        page.letters.push_back(shown(found[i], in_memory));
    return page;
}

letter_answer unknown() {
    letter_answer a;
    a.outcome = letter_outcome::unknown;
    return a;
}

}  // namespace

asio::awaitable<core::result<postgres::connection>> letter_desk::open() {
    auto conninfo = configuration_.postgres_url;
    return postgres::connection::open(std::move(conninfo), desk_patience);
}

asio::awaitable<core::result<http::letter_page>> letter_desk::list(http::letter_query asked) {
    if (box_.current().store == postgres::dead_letter_box::store::memory) co_return list_memory(asked);
    auto db = co_await open();
    if (!db) co_return db.error();
    auto f = filter_of(asked, false);
    const auto after = is_in_memory(asked.after) ? 0 : number_of(asked.after);
    auto found = co_await postgres::find_letters(*db, std::move(f), after, newest, asked.limit + 1,
                                                 steady::now() + desk_patience);
    if (!found) co_return found.error();
    auto page = page_of(*found, asked.limit, false);
    // It may be short for its bytes.
    if (page.more || found->empty()) co_return page;
    auto rest = filter_of(asked, false);
    auto next = co_await postgres::find_letters(*db, std::move(rest), found->back().number, newest, 1,
                                                steady::now() + desk_patience);
    if (!next) co_return next.error();
    page.more = !next->empty();
    co_return page;
}

http::letter_page letter_desk::list_memory(const http::letter_query& asked) const {
    const auto after = is_in_memory(asked.after) ? number_of(asked.after) : 0;
    const auto found =
        box_.in_memory().find(filter_of(asked, true), core::wall::now(), after, asked.limit + 1);
    return page_of(found, asked.limit, true);
}

asio::awaitable<letter_answer> letter_desk::replay(std::string id) {
    core::log_info("dead letters: replay of {} asked for over HTTP", id);
    return is_in_memory(id) ? replay_from_memory(number_of(id)) : replay_row(number_of(id));
}

asio::awaitable<letter_answer> letter_desk::replay_row(std::int64_t id) {
    auto db = co_await open();
    if (!db) co_return answer_of(db.error());
    const auto locked = co_await postgres::lock_replays(*db, lock_patience);
    if (!locked) co_return answer_of(locked.error());
    letter_answer answer;
    if (!*locked) {
        answer.outcome = letter_outcome::busy;
        answer.words = "another replay is under way; try again when it is done";
        co_return answer;
    }
    event::letter_filter this_one;
    this_one.ids.push_back(id);
    auto found = co_await postgres::find_letters(*db, std::move(this_one), 0, newest, 1,
                                                 steady::now() + desk_patience);
    if (!found) co_return answer_of(found.error());
    if (found->empty()) co_return unknown();
    auto letter = std::move(found->front());
    // The end of the connection gives the lock back.
    co_return co_await replay_stored(*db, redis_, configuration_, std::move(letter));
}

// While it is on its way nobody else finds it; what is refused again goes back to its place, also when
// whoever asked does not wait for it.
asio::awaitable<letter_answer> letter_desk::replay_from_memory(std::int64_t number) {
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    if (const auto earlier = box_.in_memory().earlier_push(number))
        co_return comes_behind(fmt::format("m{}", *earlier));
    auto taken = box_.take(number);
    if (!taken) co_return unknown();
    letter_answer answer;
    if (taken->kind == event::dead_letter::origin::event) {
        const bool leads = bridge_.leading();
        if (leads && bridge_.take_again(*taken)) co_return answer;
        answer.outcome = letter_outcome::refused;
        answer.words = fmt::format("the route '{}' is not configured any more", taken->route);
        if (!leads) answer.words = "this process stands by, and takes no events; try again when it leads";
        box_.give_back(number, std::move(*taken));
        co_return answer;
    }
    auto letter = *taken;
    auto fields = event::stream_fields(configuration_.routes, letter);
    const auto pushed = co_await redis::push_again(redis_, std::move(letter), std::move(fields));
    if (pushed) {
        bridge_.letter_settled(*taken);
        co_return answer;
    }
    answer = push_failed(pushed.error());
    if (answer.outcome == letter_outcome::refused) ++taken->attempts;
    box_.give_back(number, std::move(*taken));
    co_return answer;
}

asio::awaitable<letter_answer> letter_desk::drop(std::string id) {
    core::log_info("dead letters: {} dropped over HTTP", id);
    letter_answer answer;
    if (is_in_memory(id)) {
        const auto taken = box_.take(number_of(id));
        if (!taken) co_return unknown();
        bridge_.letter_settled(*taken);
        co_return answer;
    }
    auto db = co_await open();
    if (!db) co_return answer_of(db.error());
    event::letter_filter this_one;
    this_one.ids.push_back(number_of(id));
    const auto gone =
        co_await postgres::drop_letters(*db, std::move(this_one), newest, 1, steady::now() + desk_patience);
    if (!gone) co_return answer_of(gone.error());
    if (*gone == 0) co_return unknown();
    co_return answer;
}

}  // namespace postrider::service
