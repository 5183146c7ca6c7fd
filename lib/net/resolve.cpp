#include "net/resolve.hpp"

#include <fcntl.h>
#include <netdb.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <thread>

namespace postrider::net {
namespace {

// Shared by the coroutine and the thread: whoever is last frees it, so neither waits for the other.
struct lookup {
    std::string host;
    int read_end = -1;
    int write_end = -1;
    int status = 0;
    std::vector<std::string> addresses;

    lookup() = default;
    lookup(const lookup&) = delete;
    lookup& operator=(const lookup&) = delete;
    ~lookup() {
        if (read_end >= 0) ::close(read_end);
        if (write_end >= 0) ::close(write_end);
    }

    bool open() {
        std::array<int, 2> ends{};
        if (::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) != 0) return false;
        read_end = ends[0];
        write_end = ends[1];
        return true;
    }

    void run() {
        addrinfo hints{};
        hints.ai_socktype = SOCK_STREAM;
        addrinfo* found = nullptr;
        status = ::getaddrinfo(host.c_str(), nullptr, &hints, &found);
        for (const addrinfo* a = found; a != nullptr; a = a->ai_next) {
            std::array<char, NI_MAXHOST> text{};
            if (::getnameinfo(a->ai_addr, a->ai_addrlen, text.data(), text.size(), nullptr, 0, NI_NUMERICHOST) != 0)
                continue;
            if (std::find(addresses.begin(), addresses.end(), text.data()) == addresses.end())
                addresses.emplace_back(text.data());
        }
        if (found != nullptr) ::freeaddrinfo(found);
        // The write's result does not matter: a coroutine that no longer reads has given up already.
        [[maybe_unused]] const auto written = ::write(write_end, "", 1);
    }
};

}  // namespace

asio::awaitable<core::result<std::vector<std::string>>> resolve(std::string host, deadline limit) {
    error_code not_numeric;
    asio::ip::make_address(host, not_numeric);
    if (!not_numeric) {
        std::vector<std::string> itself;
        itself.push_back(std::move(host));
        co_return itself;
    }
    const auto executor = co_await asio::this_coro::executor;
    auto shared = std::make_shared<lookup>();
    shared->host = std::move(host);
    if (!shared->open())
        co_return core::failure{core::errc::unresolved, "no pipe for the name lookup: too many open files"};
    asio::posix::stream_descriptor ready(executor, ::dup(shared->read_end));
    std::thread([shared] { shared->run(); }).detach();

    const auto waited =
        co_await before(limit, ready.async_wait(asio::posix::stream_descriptor::wait_read, asio::deferred));
    if (waited)
        co_return core::failure{core::errc::timeout, "the name lookup of '" + shared->host + "' took too long"};
    // The byte in the pipe orders the thread's writes before these reads.
    char byte = 0;
    [[maybe_unused]] const auto got = ::read(shared->read_end, &byte, 1);
    if (shared->status != 0 || shared->addresses.empty())
        co_return core::failure{core::errc::unresolved, "host name '" + shared->host + "' has no address: " +
                                                            ::gai_strerror(shared->status)};
    co_return shared->addresses;
}

}  // namespace postrider::net
