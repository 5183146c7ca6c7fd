#pragma once

#include "event/dead_letter.hpp"
#include "redis/client.hpp"

namespace postrider::redis {

// Pushes a refused push to its target again, once: a ledger under the letter's token recognises one that was
// done already, for 30 days. Errors: the connection's, after which the same may be asked again; server_error
// with Redis' words.
asio::awaitable<core::result<void>> push_again(client& redis, event::dead_letter letter,
                                               std::vector<std::string> fields);

// The letter is deleted for good, so its ledger goes within the hour.
asio::awaitable<core::result<void>> forget_push(client& redis, event::dead_letter letter);

}  // namespace postrider::redis
