#include "http/request_reader.hpp"

#include <algorithm>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/rfc7230.hpp>
#include <boost/beast/http/string_body.hpp>
#include <optional>

#include "http/answer.hpp"
#include "http/target.hpp"

namespace postrider::http {

namespace beast = boost::beast;

namespace {
constexpr std::size_t chunk = 4096;
}

struct request_reader::state {
    using parser = beast::http::request_parser<beast::http::string_body>;

    explicit state(std::size_t most) : buffer(most) {}

    void restart(std::size_t header_limit, std::size_t body_limit) {
        request.emplace();
        request->header_limit(static_cast<std::uint32_t>(header_limit));
        request->body_limit(body_limit);
        header_bytes = 0;
        header_done = false;
    }

    // Hands the buffered bytes to the parser, once.
    error_code put() {
        error_code error;
        const auto used = request->put(buffer.cdata(), error);
        buffer.consume(used);
        if (!header_done) header_bytes += used;
        return error;
    }

    beast::flat_buffer buffer;
    std::optional<parser> request;
    std::size_t header_bytes = 0;  // of the present request, already taken by the parser
    bool header_done = false;      // and checked
    target where;
};

request_reader::request_reader(std::size_t header_limit, std::size_t body_limit)
    : header_limit_(header_limit),
      body_limit_(body_limit),
      state_(std::make_unique<state>(header_limit + chunk)) {
    state_->restart(header_limit_, body_limit_);
}

request_reader::~request_reader() = default;

std::span<char> request_reader::room() {
    auto& buffer = state_->buffer;
    const auto space = buffer.prepare(std::min(chunk, buffer.max_size() - buffer.size()));
    return {static_cast<char*>(space.data()), space.size()};
}

bool request_reader::idle() const {
    return state_->buffer.size() == 0 && !state_->request->got_some();
}

request_reader::progress request_reader::received(std::size_t count) {
    state_->buffer.commit(count);
    if (state_->header_done) return parse_body();
    return parse_header();
}

request_reader::progress request_reader::refuse(unsigned status, std::string_view words) {
    refusal_ = error_response(status, words);
    return progress::refused;
}

request_reader::progress request_reader::parse_header() {
    auto& s = *state_;
    // Empty lines before a request line are to be ignored (RFC 9112 section 2.2).
    while (!s.request->got_some() && s.buffer.size() != 0) {
        const char first = *static_cast<const char*>(s.buffer.cdata().data());
        if (first != '\r' && first != '\n') break;
        s.buffer.consume(1);
    }
    if (s.buffer.size() == 0) return progress::more;
    const auto error = s.put();
    // The parser forgets the fields it has taken when it counts, so the sum is kept here.
    const auto size = s.header_bytes + (s.request->is_header_done() ? 0 : s.buffer.size());
    if (error == beast::http::error::header_limit || size > header_limit_) {
        return refuse(431,
                      "the request's headers are larger than " + std::to_string(header_limit_) + " bytes");
    }
    if (error == beast::http::error::body_limit) {
        return refuse(413, "the request's body is larger than " + std::to_string(body_limit_) + " bytes");
    }
    if (error == beast::http::error::need_more) return progress::more;
    if (error) return refuse(400, "the request cannot be read as HTTP/1.1: " + error.message());
    // The parser stops behind the request line when that was all there is.
    if (!s.request->is_header_done()) return progress::more;
    return check_header();
}

request_reader::progress request_reader::check_header() {
    auto& s = *state_;
    namespace http = beast::http;
    const auto& head = s.request->get();
    if (head.count(http::field::host) > 1 || (head.version() == 11 && head.count(http::field::host) == 0)) {
        return refuse(400, "an HTTP/1.1 request needs exactly one Host header");
    }
    // A body whose length is known beforehand is all that is needed here, and leaves nothing to smuggle.
    if (head.count(http::field::transfer_encoding) != 0) {
        return refuse(411, "send the body with Content-Length, not with Transfer-Encoding");
    }
    const auto text = head.target();
    auto where = parse_target({text.data(), text.size()});
    if (!where) return refuse(400, "the request's target is not a path, or is not encoded correctly");
    s.where = std::move(*where);
    s.header_done = true;
    if (s.request->is_done()) return progress::complete;

    s.request->eager(true);
    const auto expected = head.find(http::field::expect);
    const bool expects = expected != head.end() && head.version() == 11;
    if (expects && !beast::iequals(expected->value(), "100-continue")) {
        return refuse(417, "the only expectation known here is 100-continue");
    }
    // A client that has begun its body does not wait any more (RFC 9110 section 10.1.1).
    if (expects && s.buffer.size() == 0) return progress::expects;
    return parse_body();
}

request_reader::progress request_reader::parse_body() {
    auto& s = *state_;
    if (s.buffer.size() == 0) return progress::more;
    const auto error = s.put();
    if (s.request->is_done()) return progress::complete;
    if (error && error != beast::http::error::need_more) {
        return refuse(400, "the request's body cannot be read: " + error.message());
    }
    return progress::more;
}

request request_reader::take() {
    auto& s = *state_;
    auto& message = s.request->get();
    const auto method = message.method_string();
    const auto authorization = message[beast::http::field::authorization];
    request out;
    out.method.assign(method.data(), method.size());
    out.authorization.assign(authorization.data(), authorization.size());
    out.path = std::move(s.where.path);
    out.query = std::move(s.where.query);
    out.body = std::move(message.body());
    keep_alive_ = message.keep_alive();
    old_client_ = message.version() == 10;
    s.restart(header_limit_, body_limit_);
    return out;
}

}  // namespace postrider::http
