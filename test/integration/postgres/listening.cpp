#include "listening.hpp"

#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

namespace postrider::test {

log_capture::log_capture() : before_(spdlog::default_logger()) {
    auto sink = std::make_shared<spdlog::sinks::ostream_sink_mt>(text_);
    auto logger = std::make_shared<spdlog::logger>("test", std::move(sink));
    logger->set_pattern("%l: %v");
    spdlog::set_default_logger(std::move(logger));
}

log_capture::~log_capture() {
    spdlog::set_default_logger(before_);
}

std::size_t log_capture::count(std::string_view words) const {
    const auto all = text();
    std::size_t found = 0;
    for (auto at = all.find(words); at != std::string::npos; at = all.find(words, at + 1))
        ++found;
    return found;
}

postgres::listener_settings patient(std::string conninfo, std::vector<std::string> channels) {
    constexpr core::milliseconds long_time{600'000};
    postgres::listener_settings s;
    s.conninfo = std::move(conninfo);
    s.channels = std::move(channels);
    s.connect_timeout = s.heartbeat = s.heartbeat_timeout = s.probe_timeout = s.catch_up_timeout = long_time;
    s.backoff_first = core::milliseconds(20);
    s.backoff_cap = core::milliseconds(100);
    return s;
}

listening::listening(postgres::listener_settings s) {
    listener_ = std::make_unique<postgres::listener>(loop_.executor(), std::move(s), sink());
    asio::co_spawn(loop_.context(), listener_->run(), [this](const std::exception_ptr& error) {
        CHECK_MESSAGE(!error, "run() ended with an exception");
        ended_ = true;
    });
}

listening::~listening() {
    stop();
    listener_.reset();
}

void listening::stop() {
    listener_->stop();
    CHECK_MESSAGE(until([this] { return ended_; }), "run() did not return after stop()");
    CHECK_MESSAGE(loop_.empty(), "something is left behind");
    CHECK_FALSE(status().listening);
    // Late wake-ups come from whoever does not know yet.
    listener_->wake();
}

bool listening::until_up() {
    return until([this] { return status().listening; });
}

bool listening::until_down() {
    return until([this] { return !status().listening; });
}

bool listening::until_heard(std::size_t events) {
    return until([this, events] { return heard.size() >= events; });
}

void listening::take(std::string event) {
    heard.push_back(std::move(event));
    if (on_event) on_event();
}

postgres::listener_sink listening::sink() {
    postgres::listener_sink s;
    s.notified = [this](std::string_view channel, std::string_view payload) {
        take(std::string(channel) + ":" + std::string(payload));
    };
    s.ready = [this] { return ready; };
    s.since = [this](std::size_t) { return since; };
    s.caught_up = [this](std::size_t index, std::string_view payload) {
        take("#" + std::to_string(index) + ":" + std::string(payload));
    };
    s.completed = [this](std::size_t index) { completed.push_back(index); };
    s.changed = [this] { ++changes; };
    return s;
}

}  // namespace postrider::test
