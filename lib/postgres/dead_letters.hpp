#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/clock.hpp"
#include "event/dead_letter.hpp"
#include "event/letter_list.hpp"
#include "net/asio.hpp"
#include "postgres/connection.hpp"

namespace postrider::postgres {

// The statements on postrider.dead_letters (schema.sql), one at a time and each a transaction of its own.
// Their errors are those of connection::query.

using stored_letter = event::letter_list::numbered;  // its number is the row's id

// Writes the letters, in order; no two of them the same event. An event that is stored already counts as one
// more attempt of it. To write the same again, because the answer was lost, changes nothing.
asio::awaitable<core::result<void>> store_letters(connection& c, std::vector<stored_letter> letters,
                                                  net::deadline limit);

// The payloads of one page; a larger one comes alone.
inline constexpr std::size_t page_bytes = 1 << 20;

// The first `most` letters that the filter means with after < id <= up_to, by id; fewer where their payloads
// are more than page_bytes, but at least one.
asio::awaitable<core::result<std::vector<stored_letter>>> find_letters(connection& c, event::letter_filter f,
                                                                       std::int64_t after, std::int64_t up_to,
                                                                       std::size_t most, net::deadline limit);

// How many letters the filter means, and the newest id of all letters (0: there is none).
struct letter_count {
    std::uint64_t count = 0;
    std::int64_t newest = 0;
};
asio::awaitable<core::result<letter_count>> count_letters(connection& c, event::letter_filter f,
                                                          net::deadline limit);

// Deletes the first `most` letters that the filter means with id <= up_to; returns how many.
asio::awaitable<core::result<std::uint64_t>> drop_letters(connection& c, event::letter_filter f,
                                                          std::int64_t up_to, std::size_t most,
                                                          net::deadline limit);

// A notification.
struct announcement {
    std::string channel;
    std::string payload;
};

// Deletes an event's letter and sends the event to `channel`, in one transaction, behind an announcement
// where there is one; false: the letter is gone.
asio::awaitable<core::result<bool>> replay_event(connection& c, std::int64_t id, std::string channel,
                                                 std::optional<announcement> first, net::deadline limit);

// The oldest letter of a refused push of this one's route and key, older than it; empty: there is none.
asio::awaitable<core::result<std::optional<std::int64_t>>> earlier_push(connection& c, std::int64_t id,
                                                                        net::deadline limit);

// Notes that one more attempt failed.
asio::awaitable<core::result<void>> note_failed_replay(connection& c, std::int64_t id, std::string reason,
                                                       std::string error, net::deadline limit);

// Makes this session the only one that replays, until it ends or unlock_replays(); false: another one does,
// and still does after `wait`.
asio::awaitable<core::result<bool>> lock_replays(connection& c, core::milliseconds wait);
asio::awaitable<core::result<void>> unlock_replays(connection& c, net::deadline limit);

}  // namespace postrider::postgres
