#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

namespace postrider::bench {

// A TCP connection to a loopback port that never blocks once it stands.
class client_socket {
 public:
    client_socket() = default;  // not connected
    // Not connected where that fails.
    explicit client_socket(std::uint16_t port);
    client_socket(client_socket&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
    client_socket& operator=(client_socket&& other) noexcept {
        std::swap(descriptor_, other.descriptor_);
        return *this;
    }
    ~client_socket();

    bool connected() const { return descriptor_ >= 0; }
    int descriptor() const { return descriptor_; }
    // False: not all of it, and the connection is of no use any more.
    bool send(std::string_view bytes);
    // What has come: empty if nothing has. A connection that the server has closed is not connected then.
    std::string_view receive(std::span<char> room);

 private:
    void close();

    int descriptor_ = -1;
};

}  // namespace postrider::bench
