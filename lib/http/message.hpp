#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "http/feed.hpp"
#include "net/asio.hpp"

namespace postrider::http {

struct request {
    std::string method;         // "GET", "HEAD", …
    std::string path;           // decoded, without the query
    std::string query;          // as it came, without '?'
    std::string authorization;  // the header's value; empty: none
    std::string body;           // at most 64 KiB
};

struct response {
    unsigned status = 200;
    std::string body;
    std::string content_type = "application/json";
    std::string allow;                                        // with 405: the methods that work
    std::string authenticate;                                 // with 401: how to (RFC 9110, section 11.6.1)
    std::vector<std::pair<std::string, std::string>> fields;  // of the header, beside the above
    // Set: instead of a body the client gets the newest text of this feed, again and again, until one of both
    // goes.
    std::shared_ptr<feed> stream;
};

// Answers a request. HEAD is answered like GET: the server names the body's length and leaves the body away.
// A request whose client is gone is cancelled (terminal).
using handler = std::function<asio::awaitable<response>(request)>;

}  // namespace postrider::http
