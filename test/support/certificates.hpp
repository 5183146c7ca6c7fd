#pragma once

#include <string>

#include "support/folder.hpp"

namespace postrider::support {

// A certificate authority of its own and a server certificate signed by it, as PEM files in the folder.
// The certificate names DNS:<server_name>, and IP:127.0.0.1 only where that name is "localhost".
struct certificates {
    explicit certificates(const temporary_folder& folder, const std::string& server_name = "localhost");

    std::string ca;    // path of the authority's certificate, to be trusted by clients
    std::string cert;  // path of the server's certificate
    std::string key;   // path of the server's private key

    // Makes a client's certificate by the same authority, beside the others.
    struct client {
        std::string cert;
        std::string key;
    };
    client make_client() const;

 private:
    std::string folder_;
};

}  // namespace postrider::support
