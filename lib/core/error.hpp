#pragma once

#include <boost/system/result.hpp>
#include <stdexcept>
#include <string>
#include <utility>

namespace postrider::core {

// What a caller can decide on; the words for people are in failure::message.
enum class errc {
    invalid_input,    // a value that can never work: mend it
    unresolved,       // a host name without an address
    refused,          // nobody accepts connections there
    timeout,          // no answer within the deadline
    connection_lost,  // the peer went away in the middle
    authentication,   // the peer refused the credentials
    tls,              // the handshake or the verification failed
    protocol,         // the peer sent what the protocol does not allow
    server_error,     // the peer answered with an error
    stopped,          // this process is shutting down
};

struct failure {
    errc code = errc::invalid_input;
    std::string message;  // what happened, where, and how to mend it
};

inline failure invalid_input(std::string message) {
    return {errc::invalid_input, std::move(message)};
}

template <class T>
using result = boost::system::result<T, failure>;

// Called by result::value() on a failure: reaching it is a bug in the caller.
[[noreturn]] inline void throw_exception_from_error(const failure& f, const boost::source_location&) {
    throw std::logic_error("unchecked failure: " + f.message);
}

}  // namespace postrider::core
