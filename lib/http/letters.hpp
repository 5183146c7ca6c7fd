#pragma once

#include <string>

#include "http/message.hpp"
#include "http/view.hpp"

namespace postrider::http {

// Whether the Authorization header carries this token ("Bearer …", RFC 6750). The time it takes tells nothing
// about the token but its length's digest: both are compared as SHA-256 digests, in constant time.
bool is_authorized(const std::string& header, const std::string& token);

// The endpoints /dead-letters and /dead-letters/{id}[/replay] for those who know the token; 404 where the
// service has none. Not for other paths.
asio::awaitable<response> answer_letters(const view& v, request asked);
bool is_letter_path(std::string_view path);

// "route=chat&reason=not_json&id=3&id=4&older_than=2d&newer_than=1h&limit=50&after=7". Errors (invalid_input)
// name the parameter and say how to mend it.
core::result<letter_query> read_letter_query(std::string_view query);

// {"store":"postgres"|"memory","letters":[…],"next":"…"|null}: `next` is the `after` of the next page.
std::string letters_body(const letter_page& page);

// One letter as in letters_body, also for the command line.
std::string letter_json(const letter& l);

}  // namespace postrider::http
