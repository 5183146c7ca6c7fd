#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace postrider::test {

struct http_answer {
    int status = 0;    // 0: no connection, or none that answered
    std::string head;  // the status line and headers
    std::string body;
};

// One GET over a connection of its own, within 30 s.
http_answer http_get(std::uint16_t port, std::string_view path);

// The same with any method, and a bearer token where it is not empty.
http_answer http_ask(std::uint16_t port, std::string_view method, std::string_view path,
                     std::string_view token = "");

// A raw connection, for requests that never come to their end. One that could not be made fails at send().
class raw_connection {
 public:
    raw_connection(std::uint16_t port, std::string_view beginning);
    raw_connection(raw_connection&& other) noexcept;
    raw_connection& operator=(raw_connection&&) = delete;
    ~raw_connection();

    bool send(std::string_view more);  // false: the server is gone
    bool has_ended() const;            // the server has closed, and there is nothing more to receive
    std::string receive_some();        // what has come, or comes next within 30 s
    std::string receive();             // all until the server closes, or nothing came for 10 s

 private:
    int socket_;
};

}  // namespace postrider::test
