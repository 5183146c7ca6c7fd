#include "net/deadline.hpp"

#include <unistd.h>

#include <array>

#include "support/loop.hpp"

using namespace postrider;
using namespace postrider::test;

namespace {

// A pipe whose reading end is on the loop.
struct piped {
    explicit piped(loop& l) : reader(l.context()) {
        REQUIRE(::pipe(ends.data()) == 0);
        reader.assign(ends[0]);
    }
    piped(const piped&) = delete;
    piped& operator=(const piped&) = delete;
    ~piped() { close_writer(); }

    void write(std::string_view bytes) const {
        REQUIRE(::write(ends[1], bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()));
    }
    void close_writer() {
        if (ends[1] >= 0) ::close(std::exchange(ends[1], -1));
    }
    auto read() { return reader.async_read_some(asio::buffer(buffer), asio::deferred); }

    std::array<int, 2> ends{};
    std::array<char, 16> buffer{};
    asio::posix::stream_descriptor reader;
};

}  // namespace

TEST_CASE("an operation that ends in time keeps its own outcome") {
    loop l;
    asio::steady_timer at_once(l.context(), in(0ms));
    CHECK(l.value_of(net::before(in(1h), at_once.async_wait(asio::deferred))) == error_code());
    CHECK(l.empty());
}

TEST_CASE("a deadline, also one in the past, ends an operation that would wait on") {
    for (const auto time : {-1h, 0h}) {
        loop l;
        asio::steady_timer never(l.context(), in(1h));
        CHECK(l.value_of(net::before(in(time), never.async_wait(asio::deferred))) == asio::error::timed_out);
        CHECK(l.empty());
    }
}

TEST_CASE("an operation that was cancelled from elsewhere did not time out") {
    loop l;
    asio::steady_timer never(l.context(), in(1h));
    asio::steady_timer soon(l.context(), in(5ms));
    soon.async_wait([&](error_code) { never.cancel(); });
    CHECK(l.value_of(net::before(in(2h), never.async_wait(asio::deferred))) ==
          asio::error::operation_aborted);
    CHECK(l.empty());
}

TEST_CASE("the latest deadline there is does not overflow") {
    loop l;
    asio::steady_timer soon(l.context(), in(5ms));
    CHECK(l.value_of(net::before(net::deadline::max(), soon.async_wait(asio::deferred))) == error_code());
}

TEST_CASE("an operation with a value gives it back") {
    loop l;
    piped p(l);
    p.write("abc");
    const auto [error, size] = l.value_of(net::value_before<std::size_t>(in(1h), p.read()));
    CHECK(error == error_code());
    CHECK(size == 3);
    CHECK(std::string_view(p.buffer.data(), size) == "abc");
    CHECK(l.empty());
}

TEST_CASE("an operation with a value gives its error back") {
    loop l;
    piped p(l);
    p.close_writer();
    const auto [error, size] = l.value_of(net::value_before<std::size_t>(in(1h), p.read()));
    CHECK(error == asio::error::eof);
    CHECK(size == 0);
}

TEST_CASE("an operation with a value can time out, and leaves the bytes that come later") {
    loop l;
    piped p(l);
    const auto [error, size] = l.value_of(net::value_before<std::size_t>(in(-1h), p.read()));
    CHECK(error == asio::error::timed_out);
    CHECK(size == 0);
    CHECK(l.empty());
    p.write("later");
    const auto [none, again] = l.value_of(net::value_before<std::size_t>(in(1h), p.read()));
    CHECK(none == error_code());
    CHECK(again == 5);
}

TEST_CASE("a cancelled coroutine leaves its wait at once") {
    loop l;
    asio::steady_timer never(l.context(), in(1h));
    asio::cancellation_signal cancel;
    bool ended = false;
    error_code seen;
    auto wait = [&]() -> asio::awaitable<void> {
        seen = co_await net::before(in(2h), never.async_wait(asio::deferred));
    };
    asio::co_spawn(
        l.context(), wait(),
        asio::bind_cancellation_slot(cancel.slot(), [&](const std::exception_ptr&) { ended = true; }));
    CHECK_FALSE(l.empty());
    cancel.emit(asio::cancellation_type::terminal);
    CHECK(l.until([&] { return ended; }));
    CHECK(seen != asio::error::timed_out);
    CHECK(l.empty());
}
