#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/backoff.hpp"
#include "core/clock.hpp"
#include "event/letter_list.hpp"
#include "net/asio.hpp"
#include "net/signal.hpp"
#include "postgres/connection.hpp"

namespace postrider::postgres {

struct dead_letter_box_settings {
    std::string conninfo;
    core::milliseconds connect_timeout{10'000};  // for each host
    core::milliseconds statement_timeout{10'000};
    core::milliseconds linger{50};  // letters are collected for so long, and the same ones counted as one
    core::milliseconds keep_open{5'000};  // the connection, once there is nothing to write
    core::milliseconds backoff_first{500};
    core::milliseconds backoff_cap{30'000};
    std::size_t most = 10'000;          // letters in memory
    std::size_t most_bytes = 16 << 20;  // of theirs
};

// Takes what could not be delivered, and never holds anybody up: letters wait in memory, bounded, and are
// written to postrider.dead_letters over a connection of their own. Where the table is not there and may not
// be created, the letters stay in memory, until it is.
class dead_letter_box {
 public:
    enum class store { postgres, memory };

    struct status {
        dead_letter_box::store store = dead_letter_box::store::memory;
        std::uint64_t taken = 0;    // since start, by attempts: each event and push counts
        std::uint64_t written = 0;  // of them, in Postgres
        std::uint64_t dropped = 0;  // of them, gone: beyond the bounds of the memory, or refused by Postgres
        std::map<std::string, std::uint64_t> by_reason;  // of those taken, bounded
        std::string last_error;                          // why letters wait; empty: they do not
    };

    // `written(letters)` is called for each part that has become durable.
    dead_letter_box(const asio::any_io_executor& executor, dead_letter_box_settings settings,
                    std::function<void(const std::vector<event::letter_list::numbered>&)> written);

    // Takes a letter; its token is filled in where it has none.
    void add(event::dead_letter l);

    // Returns after stop(), or after finish() once nothing is left to write or an attempt to write has
    // failed.
    asio::awaitable<void> run();
    void finish();
    void stop();

    // Letters that only this process knows.
    std::size_t waiting() const { return letters_.size() + under_way_.size(); }
    // The letters in memory: those that wait for Postgres, or all there are.
    const event::letter_list& in_memory() const { return letters_; }
    // Takes one of them out, and puts it back where it was.
    std::optional<event::dead_letter> take(std::int64_t number) { return letters_.take_one(number); }
    void give_back(std::int64_t number, event::dead_letter l);

    const status& current() const { return status_; }

 private:
    asio::awaitable<void> supervise();
    asio::awaitable<void> pause();
    asio::awaitable<core::result<void>> session();
    asio::awaitable<core::result<void>> write(connection& c);
    asio::awaitable<void> wait_while(core::steady::time_point until, std::size_t fewer_than);
    core::result<void> refused(const std::string& code, core::failure why);
    void stored();
    void usable();
    void failed(const core::failure& why);
    void count_dropped(std::uint64_t gone, std::string_view why);
    bool over() const { return finishing_ && letters_.empty(); }
    core::steady::time_point limit() const { return core::steady::now() + settings_.statement_timeout; }

    asio::any_io_executor executor_;
    dead_letter_box_settings settings_;
    std::function<void(const std::vector<event::letter_list::numbered>&)> written_;
    event::letter_list letters_;
    std::vector<event::letter_list::numbered> under_way_;
    status status_;
    core::backoff backoff_;
    net::signal came_;
    bool one_by_one_ = false;
    bool told_ = false;       // that letters stay in memory, or wait
    bool told_full_ = false;  // that some were dropped
    bool finishing_ = false;
    bool stopping_ = false;
    asio::cancellation_signal cancel_;
};

}  // namespace postrider::postgres
