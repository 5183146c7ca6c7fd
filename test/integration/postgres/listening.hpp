#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "postgres/listener.hpp"
#include "support/log_capture.hpp"
#include "support/loop.hpp"

namespace postrider::test {

// Loopback and short pauses; everything else takes so long that only what a test shortens can end by its
// time.
postgres::listener_settings patient(std::string conninfo, std::vector<std::string> channels = {"events"});

// A listener whose loop turns only while the test waits for something, and what it has heard.
class listening {
 public:
    explicit listening(postgres::listener_settings s);
    listening(const listening&) = delete;
    listening& operator=(const listening&) = delete;
    // Stops it; fails the test when it does not end soon or leaves something behind.
    ~listening();

    postgres::listener& operator*() { return *listener_; }
    postgres::listener* operator->() { return listener_.get(); }
    const postgres::listener::status& status() const { return listener_->current(); }
    const log_capture& log() const { return log_; }
    test::loop& loop() { return loop_; }

    bool until(const std::function<bool()>& condition,
               std::chrono::seconds limit = std::chrono::seconds(60)) {
        return loop_.until(condition, limit);
    }
    bool until_up();
    bool until_down();
    bool until_heard(std::size_t events);
    void stop();

    // Live events as "channel:payload", those of a catch-up as "#index:payload".
    std::vector<std::string> heard;
    bool ready = true;
    bool in_sync = false;
    std::string since = "2000-01-01";
    std::vector<std::size_t> completed;
    std::vector<std::string> held;  // as in `heard`, until the listener is live
    std::vector<std::string> markers;
    std::vector<std::string> transcript;  // events, and markers as "!marker", in the order of their coming
    std::size_t elections = 0;
    std::size_t stand_bys = 0;
    std::size_t changes = 0;
    std::function<void()> on_event;

 private:
    postgres::listener_sink sink();
    void take(std::string event);
    void release();

    log_capture log_;
    test::loop loop_;
    std::unique_ptr<postgres::listener> listener_;
    std::size_t catch_ups_;
    bool holding_ = true;
    bool ended_ = false;
};

}  // namespace postrider::test
