#pragma once

#include <memory>
#include <string>

#include "core/error.hpp"
#include "net/asio.hpp"
#include "redis/options.hpp"

namespace postrider::redis {

using stream_socket = asio::generic::stream_protocol::socket;

// TLS over one socket: TLS 1.2 or newer, the peer's chain and name verified unless the options say none.
class tls {
 public:
    using stream = asio::ssl::stream<stream_socket&>;

    // Reads the certificate files anew, so a renewed file works at the next connect. Errors (tls) name the
    // file.
    static core::result<std::unique_ptr<tls>> make(stream_socket& socket, const options& o);

    stream& layer() { return stream_; }

    // What a failed handshake means, in words for people: which name was expected and which the certificate
    // holds, and what to mend.
    core::failure explain(const error_code& e);

    tls(const tls&) = delete;
    tls& operator=(const tls&) = delete;

 private:
    tls(asio::ssl::context context, stream_socket& socket, std::string name, std::string ca_file);

    // Expects this name (or address) in the certificate, and asks for it by SNI.
    void expect_peer(verification v);

    asio::ssl::context context_;
    stream stream_;
    std::string name_;
    std::string ca_file_;
    int verify_error_ = 0;  // an X509_V_ERR_… code
    std::string names_found_;
};

}  // namespace postrider::redis
