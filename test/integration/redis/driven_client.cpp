#include "driven_client.hpp"

#include <doctest/doctest.h>

#include <cstdlib>

namespace postrider::test {

driven_client::driven_client(redis::options o) : client_(loop_.executor(), std::move(o)) {
    asio::co_spawn(loop_.context(), client_.run(), [this](const std::exception_ptr& error) {
        CHECK_MESSAGE(!error, "run() ended with an exception");
        ended_ = true;
    });
}

driven_client::~driven_client() {
    client_.stop();
    CHECK_MESSAGE(until([this] { return ended_; }), "run() did not return after stop()");
    loop_.empty();
}

bool driven_client::until_connected() {
    return until([this] { return client_.connected(); });
}

void driven_client::start(redis::pipeline commands,
                          std::optional<core::result<std::vector<redis::reply>>>& answer) {
    using answer_type = core::result<std::vector<redis::reply>>;
    asio::co_spawn(loop_.context(), client_.execute(std::move(commands)),
                   [&answer](const std::exception_ptr& error, answer_type result) {
                       CHECK_MESSAGE(!error, "execute() ended with an exception");
                       answer.emplace(std::move(result));
                   });
}

core::result<std::vector<redis::reply>> driven_client::execute(redis::pipeline commands) {
    std::optional<core::result<std::vector<redis::reply>>> answer;
    start(std::move(commands), answer);
    // Without an answer `answer` must not be left behind while the loop still writes to it.
    if (!until([&] { return answer.has_value(); }, 60s)) std::abort();
    return std::move(*answer);
}

redis::reply driven_client::ask(std::initializer_list<std::string_view> words) {
    auto answer = execute(command(words));
    REQUIRE_MESSAGE(answer.has_value(), (answer ? "" : answer.error().message));
    REQUIRE(answer->size() == 1);
    return std::move(answer->front());
}

redis::options quick(std::uint16_t port) {
    redis::options o;
    o.host = "127.0.0.1";
    o.port = port;
    o.backoff_first = 20ms;
    o.backoff_cap = 100ms;
    return o;
}

redis::options quick(const std::string& url, core::milliseconds ping_interval) {
    auto parsed = redis::parse_url(url);
    REQUIRE_MESSAGE(parsed.has_value(), (parsed ? "" : parsed.error().message));
    parsed->backoff_first = 20ms;
    parsed->backoff_cap = 100ms;
    parsed->ping_interval = ping_interval;
    return *parsed;
}

redis::pipeline command(std::initializer_list<std::string_view> words) {
    redis::pipeline p;
    p.add(words);
    return p;
}

}  // namespace postrider::test
