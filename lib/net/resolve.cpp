#include "net/resolve.hpp"

#include <fcntl.h>
#include <netdb.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <system_error>
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
            if (::getnameinfo(a->ai_addr, a->ai_addrlen, text.data(), text.size(), nullptr, 0,
                              NI_NUMERICHOST) != 0)
                continue;
            if (std::find(addresses.begin(), addresses.end(), text.data()) == addresses.end())
                addresses.emplace_back(text.data());
        }
        if (found != nullptr) ::freeaddrinfo(found);
        // The write's result does not matter: a coroutine that no longer reads has given up already.
        [[maybe_unused]] const auto written = ::write(write_end, "", 1);
    }
};

core::failure too_late(const std::string& host) {
    return {core::errc::timeout, "the name lookup of '" + host + "' took too long"};
}

// Starts the thread; `ready` becomes readable when it is done.
core::result<std::shared_ptr<lookup>> begin(std::string host, asio::posix::stream_descriptor& ready) {
    auto shared = std::make_shared<lookup>();
    shared->host = std::move(host);
    const int watched = shared->open() ? ::fcntl(shared->read_end, F_DUPFD_CLOEXEC, 0) : -1;
    error_code refused = asio::error::no_descriptors;
    if (watched >= 0) ready.assign(watched, refused);
    if (watched >= 0 && refused) ::close(watched);
    try {
        if (!refused) std::thread([shared] { shared->run(); }).detach();
    } catch (const std::system_error& e) {
        refused = error_code(e.code());
    }
    if (!refused) return shared;
    return core::failure{core::errc::unresolved,
                         "the name lookup of '" + shared->host + "' could not begin: " + refused.message()};
}

}  // namespace

asio::awaitable<core::result<std::vector<std::string>>> resolve(std::string host, deadline limit) {
    const auto executor = co_await asio::this_coro::executor;
    name_lookup lookup(executor);
    auto found = co_await lookup.run(std::move(host), limit);
    co_return found;
}

asio::awaitable<core::result<std::vector<std::string>>> name_lookup::run(std::string host, deadline limit) {
    error_code not_numeric;
    asio::ip::make_address(host, not_numeric);
    if (!not_numeric) {
        std::vector<std::string> itself;
        itself.push_back(std::move(host));
        co_return itself;
    }
    if (limit <= std::chrono::steady_clock::now()) co_return too_late(host);
    const auto shared = begin(std::move(host), ready_);
    if (!shared) co_return shared.error();
    const auto& asked = **shared;

    const auto waited =
        co_await before(limit, ready_.async_wait(asio::posix::stream_descriptor::wait_read, asio::deferred));
    cancel();
    if (waited == asio::error::operation_aborted)
        co_return core::failure{core::errc::stopped, "the name lookup of '" + asked.host + "' was given up"};
    if (waited) co_return too_late(asked.host);
    // The byte in the pipe orders the thread's writes before these reads.
    char byte = 0;
    [[maybe_unused]] const auto got = ::read(asked.read_end, &byte, 1);
    if (asked.status != 0 || asked.addresses.empty())
        co_return core::failure{core::errc::unresolved, "host name '" + asked.host + "' has no address: " +
                                                            ::gai_strerror(asked.status)};
    co_return asked.addresses;
}

void name_lookup::cancel() {
    error_code ignored;
    ready_.close(ignored);
}

}  // namespace postrider::net
