#pragma once

#include <functional>
#include <string>

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
    std::string allow;  // with 405: the methods that work
};

// Answers a request. HEAD is answered like GET: the server names the body's length and leaves the body away.
// A request whose client is gone is cancelled (terminal).
using handler = std::function<asio::awaitable<response>(request)>;

}  // namespace postrider::http
