#pragma once

#include "http/view.hpp"
#include "postgres/dead_letters.hpp"
#include "redis/client.hpp"
#include "service/configuration.hpp"

namespace postrider::service {

// Sends a stored letter again: an event by its channel, deleting it in the same transaction; a push to its
// target, deleting it once Redis has answered. The connection must hold lock_replays(). A letter that is
// refused again stays, and counts one attempt more; a push stays behind an earlier one of its route and key.
asio::awaitable<http::letter_answer> replay_stored(postgres::connection& db, redis::client& redis,
                                                   const configuration& c, postgres::stored_letter stored);

// The answer where an earlier letter of the same key has to go first, by its id.
http::letter_answer comes_behind(const std::string& earlier);

// What a failure means for the one who asked.
http::letter_answer answer_of(const core::failure& why);
// The same of a push: what Redis refuses for now alone is no refusal.
http::letter_answer push_failed(const core::failure& why);

// The letter for people; `in_memory`: its number is this process's own.
http::letter shown(const postgres::stored_letter& stored, bool in_memory);

}  // namespace postrider::service
