#include "postgres/dead_letter_box.hpp"

#include "core/log_line.hpp"
#include "core/token.hpp"
#include "postgres/dead_letters.hpp"
#include "postgres/schema.hpp"

namespace postrider::postgres {
namespace {

using core::steady;

constexpr std::size_t letters_a_statement = 50;
constexpr std::size_t most_reasons = 32;  // counted apart; the rest is "other"

// Codes of the PostgreSQL documentation, appendix A: the letter itself cannot be stored (data exceptions,
// limits of the program), or the table is gone or closed to this user. All others pass by themselves.
bool refuses_the_letter(std::string_view code) {
    return code.starts_with("22") || code.starts_with("54");
}
bool refuses_the_store(std::string_view code) {
    return code.starts_with("42") || code.starts_with("3F");
}

}  // namespace

dead_letter_box::dead_letter_box(
    const asio::any_io_executor& executor, dead_letter_box_settings settings,
    std::function<void(const std::vector<event::letter_list::numbered>&)> written)
    : executor_(executor),
      settings_(std::move(settings)),
      written_(std::move(written)),
      letters_(settings_.most, settings_.most_bytes),
      backoff_(settings_.backoff_first, settings_.backoff_cap, 1),
      came_(executor) {}

void dead_letter_box::add(event::dead_letter l) {
    if (l.token.empty()) l.token = core::random_token();
    status_.taken += l.attempts;
    // A proxy may answer with whatever words it likes.
    const bool has_room = status_.by_reason.size() < most_reasons || status_.by_reason.contains(l.reason);
    status_.by_reason[has_room ? l.reason : "other"] += l.attempts;
    const bool was_empty = letters_.empty();
    count_dropped(letters_.add(std::move(l)), "more came than the memory may hold");
    if (was_empty) came_.notify();
}

void dead_letter_box::give_back(std::int64_t number, event::dead_letter l) {
    std::vector<event::letter_list::numbered> one;
    one.push_back({number, std::move(l)});
    count_dropped(letters_.put_back(std::move(one)), "more came than the memory may hold");
    came_.notify();
}

void dead_letter_box::finish() {
    finishing_ = true;
    came_.notify();
}

void dead_letter_box::stop() {
    stopping_ = true;
    cancel_.emit(asio::cancellation_type::terminal);
}

// Cancellation unwinds the session wherever it waits; a letter under way may be stored or not.
asio::awaitable<void> dead_letter_box::run() {
    if (stopping_) co_return;
    auto token = asio::bind_cancellation_slot(cancel_.slot(), asio::as_tuple(asio::use_awaitable));
    auto work = supervise();
    auto finished = asio::co_spawn(executor_, std::move(work), std::move(token));
    const auto [error] = co_await std::move(finished);
    if (error && !stopping_) std::rethrow_exception(error);
}

// The first session comes at once, so that a missing table is known before the first letter.
asio::awaitable<void> dead_letter_box::supervise() {
    while (!over()) {
        auto done = co_await session();
        if (done) {
            co_await wait_while(steady::time_point::max(), 1);
            continue;
        }
        failed(done.error());
        if (finishing_) co_return;
        co_await pause();
    }
}

asio::awaitable<void> dead_letter_box::pause() {
    const auto until = steady::now() + backoff_.next();
    while (!finishing_ && steady::now() < until)
        co_await came_.wait_until(until);
}

asio::awaitable<void> dead_letter_box::wait_while(steady::time_point until, std::size_t fewer_than) {
    while (!finishing_ && letters_.size() < fewer_than && steady::now() < until)
        co_await came_.wait_until(until);
}

asio::awaitable<core::result<void>> dead_letter_box::session() {
    auto conninfo = settings_.conninfo;
    auto opened = co_await connection::open(std::move(conninfo), settings_.connect_timeout);
    if (!opened) co_return opened.error();
    auto ready = co_await ensure_schema(*opened, limit());
    if (!ready) {
        if (ready.error().code == core::errc::server_error) status_.store = store::memory;
        co_return ready.error();
    }
    usable();
    while (!letters_.empty()) {
        co_await wait_while(steady::now() + settings_.linger, letters_a_statement);
        auto done = co_await write(*opened);
        if (!done && status_.store == store::memory) {
            // The same refusal, in words that say how to mend it.
            auto usable_again = co_await ensure_schema(*opened, limit());
            if (!usable_again) co_return usable_again.error();
        }
        if (!done) co_return done.error();
        co_await wait_while(steady::now() + settings_.keep_open, 1);
    }
    co_return boost::system::in_place_value;
}

asio::awaitable<core::result<void>> dead_letter_box::write(connection& c) {
    while (!letters_.empty()) {
        under_way_ = letters_.take(one_by_one_ ? 1 : letters_a_statement);
        auto copies = under_way_;
        auto done = co_await store_letters(c, std::move(copies), limit());
        if (done) {
            stored();
            continue;
        }
        auto passed_over = refused(c.refusal(), done.error());
        if (!passed_over) co_return passed_over.error();
    }
    co_return boost::system::in_place_value;
}

void dead_letter_box::stored() {
    const auto letters = std::exchange(under_way_, {});
    for (const auto& [number, l] : letters)
        status_.written += l.attempts;
    written_(letters);
}

// Keeps the letters, but for a single one that Postgres will never take.
core::result<void> dead_letter_box::refused(const std::string& code, core::failure why) {
    auto letters = std::exchange(under_way_, {});
    const bool by_the_letter = why.code == core::errc::server_error && refuses_the_letter(code);
    if (by_the_letter && letters.size() == 1) {
        one_by_one_ = false;
        count_dropped(letters.front().letter.attempts, why.message);
        return boost::system::in_place_value;
    }
    count_dropped(letters_.put_back(std::move(letters)), "more came than the memory may hold");
    one_by_one_ = by_the_letter;
    if (by_the_letter) return boost::system::in_place_value;
    if (why.code == core::errc::server_error && refuses_the_store(code)) status_.store = store::memory;
    return why;
}

void dead_letter_box::usable() {
    if (told_) core::log_info("dead letters: kept in Postgres (postrider.dead_letters)");
    told_ = false;
    status_.store = store::postgres;
    status_.last_error.clear();
    backoff_.reset();
}

// An absent Postgres is the listener's to tell, unless letters wait for it.
void dead_letter_box::failed(const core::failure& why) {
    status_.last_error = why.message;
    const bool refuses = why.code == core::errc::server_error;
    if (told_ || (!refuses && letters_.empty())) return;
    told_ = true;
    if (status_.store == store::memory && refuses)
        core::log_warning("dead letters: kept in memory only, at most {}, and gone with this process: {}",
                          settings_.most, why.message);
    else
        core::log_warning("dead letters: {} wait in memory for Postgres: {}", letters_.size(), why.message);
}

void dead_letter_box::count_dropped(std::uint64_t gone, std::string_view why) {
    if (gone == 0) return;
    status_.dropped += gone;
    if (!told_full_) core::log_error("dead letters: dropped, /stats counts on: {}", why);
    told_full_ = true;
}

}  // namespace postrider::postgres
