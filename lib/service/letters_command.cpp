#include "service/letters_command.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <set>

#include "core/printable.hpp"
#include "core/redact.hpp"
#include "event/time.hpp"
#include "http/letters.hpp"
#include "net/task_group.hpp"
#include "postgres/dead_letters.hpp"
#include "redis/client.hpp"
#include "service/progress_bar.hpp"
#include "service/replay.hpp"

namespace postrider::service {
namespace {

using core::steady;
using postgres::stored_letter;

constexpr std::chrono::seconds command_patience{30};
constexpr std::chrono::hours command_lock_patience{1};
constexpr std::size_t page = 200;

void complain(const std::string& words) {
    fmt::print(stderr, "postrider: {}\n", core::redact(words));
}

net::deadline command_limit() {
    return steady::now() + command_patience;
}

std::string letters(std::uint64_t n) {
    return n == 1 ? "1 dead letter" : fmt::format("{} dead letters", n);
}

// One run of the command; its parts share the connection, and what was asked.
class letters_run {
 public:
    letters_run(const asio::any_io_executor& executor, const configuration& c, const letters_request& request)
        : configuration_(c),
          request_(request),
          redis_(executor, c.redis),
          tasks_(executor, [](std::string_view, std::string_view words) { complain(std::string(words)); }) {}

    asio::awaitable<int> run();

 private:
    using outcome = core::result<bool>;  // whether all was done

    asio::awaitable<core::result<void>> open();
    asio::awaitable<outcome> act();
    asio::awaitable<outcome> list();
    asio::awaitable<outcome> drop();
    asio::awaitable<outcome> replay();
    asio::awaitable<core::result<void>> take_lock();
    asio::awaitable<core::result<void>> connect_redis();
    asio::awaitable<core::result<void>> replay_page(std::vector<stored_letter> found, progress_bar& bar);
    void show(const stored_letter& l) const;
    void sum_up() const;

    const configuration& configuration_;
    const letters_request& request_;
    std::optional<postgres::connection> db_;
    redis::client redis_;
    net::task_group tasks_;
    postgres::letter_count counted_;
    std::uint64_t done_ = 0;
    std::uint64_t failed_ = 0;
    // Routes and keys whose earlier push was refused: a later one must not overtake it.
    std::set<std::pair<std::string, std::string>> blocked_;
};

asio::awaitable<core::result<void>> letters_run::open() {
    auto url = configuration_.postgres_url;
    auto opened =
        co_await postgres::connection::open(std::move(url), configuration_.postgres_connect_timeout);
    if (!opened) co_return opened.error();
    db_.emplace(std::move(*opened));
    auto filter = request_.filter;
    auto counted = co_await postgres::count_letters(*db_, std::move(filter), command_limit());
    if (counted) {
        counted_ = *counted;
        co_return boost::system::in_place_value;
    }
    core::failure why = counted.error();
    if (why.code == core::errc::server_error)
        why.message +=
            "; 'postrider schema --apply' makes the table, and without it a service keeps its dead "
            "letters in its memory, where only its own GET /dead-letters sees them";
    co_return why;
}

asio::awaitable<letters_run::outcome> letters_run::list() {
    std::int64_t after = 0;
    std::size_t left = request_.limit == 0 ? counted_.count : request_.limit;
    while (left > 0) {
        auto filter = request_.filter;
        auto found = co_await postgres::find_letters(*db_, std::move(filter), after, counted_.newest,
                                                     std::min(left, page), command_limit());
        if (!found) co_return found.error();
        for (const auto& l : *found)
            show(l);
        if (found->empty()) break;
        left -= found->size();
        after = found->back().number;
        done_ += found->size();
    }
    if (!request_.json && done_ < counted_.count)
        fmt::print(stderr, "{} of {} shown; --limit 0 shows all\n", done_, letters(counted_.count));
    if (!request_.json && counted_.count == 0) fmt::print(stderr, "no dead letters in Postgres\n");
    co_return true;
}

void letters_run::show(const stored_letter& l) const {
    if (request_.json) {
        fmt::print("{}\n", http::letter_json(shown(l, false)));
        return;
    }
    const auto& e = l.letter;
    fmt::print("{}  {}  {}  {}  {}  {} x{}\n    {}\n    {}\n", l.number, event::format_time(e.last),
               event::name(e.kind), e.route, core::one_line(e.key.empty() ? "-" : e.key), e.reason,
               e.attempts, core::one_line(e.error),
               core::one_line(std::string_view(e.payload).substr(0, 200)));
}

asio::awaitable<letters_run::outcome> letters_run::drop() {
    progress_bar bar("dropping", counted_.count);
    for (;;) {
        auto filter = request_.filter;
        const auto gone =
            co_await postgres::drop_letters(*db_, std::move(filter), counted_.newest, page, command_limit());
        if (!gone) co_return gone.error();
        done_ += *gone;
        bar.advance(*gone);
        if (*gone < page) co_return true;
    }
}

asio::awaitable<core::result<void>> letters_run::take_lock() {
    auto locked = co_await postgres::lock_replays(*db_, core::milliseconds(200));
    if (locked && !*locked) {
        fmt::print(stderr, "another replay is under way; waiting for its end\n");
        locked = co_await postgres::lock_replays(*db_, command_lock_patience);
    }
    if (!locked) co_return locked.error();
    if (*locked) co_return boost::system::in_place_value;
    co_return core::failure{core::errc::timeout, "another replay is still under way"};
}

// One attempt, as the words of a second one would be the same.
asio::awaitable<core::result<void>> letters_run::connect_redis() {
    tasks_.spawn("redis", redis_.run());
    asio::steady_timer pause(co_await asio::this_coro::executor);
    while (!redis_.connected() && redis_.current().attempts == 0) {
        pause.expires_after(core::milliseconds(10));
        co_await pause.async_wait(asio::use_awaitable);
    }
    if (redis_.connected()) co_return boost::system::in_place_value;
    auto words = "Redis: " + redis_.current().last_error;
    co_return core::failure{core::errc::connection_lost, std::move(words)};
}

// What comes back during the replay has a newer id, and is left for the next one.
asio::awaitable<letters_run::outcome> letters_run::replay() {
    auto ready = co_await take_lock();
    if (ready) ready = co_await connect_redis();
    if (!ready) co_return ready.error();
    progress_bar bar("replaying", counted_.count);
    for (std::int64_t after = 0;;) {
        auto filter = request_.filter;
        auto found = co_await postgres::find_letters(*db_, std::move(filter), after, counted_.newest, page,
                                                     command_limit());
        if (!found) co_return found.error();
        if (found->empty()) co_return failed_ == 0;
        after = found->back().number;
        auto letters = std::move(*found);
        auto done = co_await replay_page(std::move(letters), bar);
        if (!done) co_return done.error();
    }
}

asio::awaitable<core::result<void>> letters_run::replay_page(std::vector<stored_letter> found,
                                                             progress_bar& bar) {
    for (auto& l : found) {
        const auto number = l.number;
        auto place = std::make_pair(l.letter.route, l.letter.key);
        const bool is_push = l.letter.kind == event::dead_letter::origin::push;
        bar.advance();
        if (is_push && blocked_.contains(place)) {
            ++failed_;
            continue;
        }
        auto letter = std::move(l);
        const auto answer = co_await replay_stored(*db_, redis_, configuration_, std::move(letter));
        switch (answer.outcome) {
            case http::letter_outcome::done:
                ++done_;
                break;
            case http::letter_outcome::away:
                co_return core::failure{core::errc::connection_lost, answer.words};
            case http::letter_outcome::unknown:  // dropped meanwhile
                break;
            case http::letter_outcome::busy:
            case http::letter_outcome::refused:
                ++failed_;
                complain(fmt::format("dead letter {} stays: {}", number, answer.words));
                if (is_push) blocked_.insert(std::move(place));
                break;
        }
    }
    co_return boost::system::in_place_value;
}

asio::awaitable<letters_run::outcome> letters_run::act() {
    auto ready = co_await open();
    if (!ready) co_return ready.error();
    if (request_.verb == letters_verb::list) co_return co_await list();
    if (request_.dry_run) {
        done_ = counted_.count;
        co_return true;
    }
    if (request_.verb == letters_verb::drop) co_return co_await drop();
    co_return co_await replay();
}

void letters_run::sum_up() const {
    if (request_.verb == letters_verb::list) return;
    const auto word = request_.verb == letters_verb::replay ? "replayed" : "dropped";
    if (request_.json)
        fmt::print("{{\"{}\":{},\"failed\":{},\"dry_run\":{}}}\n", word, done_, failed_, request_.dry_run);
    else if (request_.dry_run)
        fmt::print("{} would be {}\n", letters(done_), word);
    else
        fmt::print("{} {}\n", letters(done_), word);
    if (failed_ != 0) complain(fmt::format("{} could not be {}", letters(failed_), word));
}

asio::awaitable<int> letters_run::run() {
    const auto done = co_await act();
    redis_.stop();
    co_await tasks_.join();
    if (done || done_ != 0 || failed_ != 0) sum_up();
    if (!done) complain(done.error().message);
    std::fflush(stdout);
    co_return done&&* done ? 0 : 1;
}

asio::awaitable<void> run_to_status(letters_run& run, int& status) {
    status = co_await run.run();
}

}  // namespace

int dead_letters(const configuration& c, const letters_request& request) {
    asio::io_context loop{1};
    int status = 1;
    letters_run run(loop.get_executor(), c, request);
    net::task_group tasks(loop.get_executor(),
                          [](std::string_view, std::string_view words) { complain(std::string(words)); });
    tasks.spawn("dead-letters", run_to_status(run, status));
    loop.run();
    return status;
}

}  // namespace postrider::service
