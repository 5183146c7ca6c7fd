#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace postrider::test {

struct answer {
    int status = 0;
    std::string head;  // status line and headers
    std::string body;

    bool has(std::string_view part) const { return head.find(part) != std::string::npos; }
};

// A blocking client of raw bytes. Every wait has a generous limit, after which it counts as an error.
class client {
 public:
    // A small receive buffer lets a server that writes much wait soon; 0: the system's own size.
    explicit client(std::uint16_t port, int receive_buffer = 0);
    ~client();
    client(client&& other) noexcept;
    client& operator=(client&&) = delete;

    // False when the peer has closed.
    bool send(std::string_view bytes);
    void finish_sending();

    // The next answer; nothing when the peer closed before it was whole. After HEAD no body is expected.
    std::optional<answer> receive(bool after_head = false);
    // Everything up to this mark, which is read too; "" when the peer closed before it came.
    std::string receive_until(std::string_view mark);
    // Everything up to the peer's close.
    std::string receive_all();
    // True when the peer closes without another byte.
    bool closed();
    // True when the peer's close threw away what this client had sent.
    bool reset() const { return reset_; }

    // A GET with keep-alive, answered.
    answer get(std::string_view path);

 private:
    bool more();

    int socket_ = -1;
    bool reset_ = false;
    std::string buffer_;
};

}  // namespace postrider::test
