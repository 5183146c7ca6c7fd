#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>

#include "http/message.hpp"

namespace postrider::http {

// Makes requests out of bytes (RFC 9112), without a socket: the connection reads into room(), tells
// received(), and does what the answer says. Bytes of pipelined requests wait inside, at most 4 KiB beyond
// the header limit.
class request_reader {
 public:
    enum class progress {
        more,      // read on
        expects,   // the client waits for "100 Continue" before it sends its body; then read on
        complete,  // take() gives the request
        refused,   // refusal() is the answer, and the connection must end: what follows cannot be made out
    };

    // Bytes of the request line and headers together, and of the body.
    request_reader(std::size_t header_limit, std::size_t body_limit);
    ~request_reader();
    request_reader(const request_reader&) = delete;
    request_reader& operator=(const request_reader&) = delete;

    // Where the next bytes belong; never empty while the progress is `more` or `expects`.
    std::span<char> room();

    // `count` bytes were written into room(); 0 looks at what a pipelining client has sent already.
    progress received(std::size_t count);

    // True between two requests, when not one byte of the next is here.
    bool idle() const;

    // The complete request; the reader then starts on the next one.
    request take();

    // Of the request last taken: whether its client wants to keep the connection, and speaks HTTP/1.0 only.
    bool keep_alive() const { return keep_alive_; }
    bool old_client() const { return old_client_; }

    // The answer to what was refused: 400 malformed, 411 a body without Content-Length, 413 body too large,
    // 417 an expectation other than 100-continue, 431 headers too large.
    const response& refusal() const { return refusal_; }

 private:
    struct state;

    progress refuse(unsigned status, std::string_view words);
    progress parse_header();
    progress parse_body();
    progress check_header();

    std::size_t header_limit_;
    std::size_t body_limit_;
    std::unique_ptr<state> state_;
    response refusal_;
    bool keep_alive_ = true;
    bool old_client_ = false;
};

}  // namespace postrider::http
