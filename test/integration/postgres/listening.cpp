#include "listening.hpp"

namespace postrider::test {

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

listening::listening(postgres::listener_settings s) : catch_ups_(s.catch_ups.size()) {
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
    // Holds back and releases as the bridge does.
    s.began = [this] { holding_ = true; };
    s.notified = [this](std::string_view channel, std::string_view payload) {
        auto event = std::string(channel) + ":" + std::string(payload);
        transcript.push_back(event);
        if (holding_)
            held.push_back(std::move(event));
        else
            take(std::move(event));
    };
    s.marked = [this](std::string_view marker) {
        markers.emplace_back(marker);
        transcript.push_back("!" + std::string(marker));
    };
    s.elected = [this](int) { ++elections; };
    s.stand_by = [this] { ++stand_bys; };
    s.live = [this] { release(); };
    s.ended = [this] {
        if (ready && catch_ups_ == 0) release();
    };
    s.ready = [this] { return ready; };
    s.in_sync = [this] { return in_sync; };
    s.since = [this](std::size_t) { return since; };
    s.caught_up = [this](std::size_t index, std::string_view payload) {
        take("#" + std::to_string(index) + ":" + std::string(payload));
    };
    s.completed = [this](std::size_t index) { completed.push_back(index); };
    s.changed = [this] { ++changes; };
    return s;
}

void listening::release() {
    holding_ = false;
    for (auto& event : std::exchange(held, {}))
        take(std::move(event));
}

}  // namespace postrider::test
