#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "core/clock.hpp"

namespace postrider::http {

// What a client can cost at most: in bytes, in time and in number.
struct settings {
    std::string address = "0.0.0.0";  // of the interface, not a name; "::" is every interface, IPv4 included
    std::uint16_t port = 8080;        // 0: any free port
    std::size_t max_connections = 512;  // streams not counted, so that these keep no probe out
    std::size_t max_streams = 128;
    int stream_buffer = 64 * 1024;        // bytes that the system keeps of a stream for a client that lags
    std::size_t header_limit = 8 * 1024;  // request line and headers together
    std::size_t body_limit = 64 * 1024;
    unsigned max_requests = 1000;             // on one connection, which then has to come anew
    core::milliseconds request_time{10'000};  // from the first byte of a request to its last
    core::milliseconds answer_time{30'000};   // for the endpoint
    core::milliseconds write_time{10'000};    // for the client to take the whole answer
    core::milliseconds idle_time{30'000};     // between two requests
    core::milliseconds linger_time{1'000};    // for the client to read a refusal before the socket goes
    core::milliseconds stop_time{1'000};      // for running answers once the server stops
    core::milliseconds accept_pause{100};     // before the next try when no descriptor is left
};

}  // namespace postrider::http
