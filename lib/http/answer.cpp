#include "http/answer.hpp"

#include "http/json.hpp"
#include "http/timestamp.hpp"

namespace postrider::http {
namespace {

std::string_view reason(unsigned status) {
    switch (status) {
        case 200:
            return "OK";
        case 202:
            return "Accepted";
        case 204:
            return "No Content";
        case 400:
            return "Bad Request";
        case 401:
            return "Unauthorized";
        case 403:
            return "Forbidden";
        case 404:
            return "Not Found";
        case 405:
            return "Method Not Allowed";
        case 409:
            return "Conflict";
        case 411:
            return "Length Required";
        case 413:
            return "Content Too Large";
        case 417:
            return "Expectation Failed";
        case 431:
            return "Request Header Fields Too Large";
        case 500:
            return "Internal Server Error";
        case 503:
            return "Service Unavailable";
        default:
            return "Status";
    }
}

void field(std::string& out, std::string_view name, std::string_view value) {
    out += name;
    out += ": ";
    out += value;
    out += "\r\n";
}

}  // namespace

response error_response(unsigned status, std::string_view words) {
    response r;
    r.status = status;
    r.body = json_writer().object().key("error").string(words).end_object().take();
    return r;
}

std::string render(const response& r, const framing& how, std::string_view date) {
    std::string out;
    out.reserve(320 + (how.with_body ? r.body.size() : 0));
    out += "HTTP/1.1 ";
    out += std::to_string(r.status);
    out += ' ';
    out += reason(r.status);
    out += "\r\n";
    field(out, "Server", "postrider");
    field(out, "Date", date);
    field(out, "Content-Type", r.content_type);
    // The end of a stream is the end of its connection (RFC 9112, section 6.3).
    if (!r.stream) field(out, "Content-Length", std::to_string(r.body.size()));
    field(out, "Cache-Control", "no-store");
    field(out, "X-Content-Type-Options", "nosniff");
    if (!r.allow.empty()) field(out, "Allow", r.allow);
    if (!r.authenticate.empty()) field(out, "WWW-Authenticate", r.authenticate);
    for (const auto& [name, value] : r.fields)
        field(out, name, value);
    if (!how.keep_alive) {
        field(out, "Connection", "close");
    } else if (how.old_client) {
        field(out, "Connection", "keep-alive");
    }
    out += "\r\n";
    if (how.with_body) out += r.body;
    return out;
}

const std::string& date_cache::at(core::wall::time_point now) {
    const auto second = std::chrono::floor<std::chrono::seconds>(now);
    if (second != second_ || text_.empty()) {
        second_ = second;
        text_ = date_header(now);
    }
    return text_;
}

}  // namespace postrider::http
