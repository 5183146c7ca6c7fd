#include "driven_pusher.hpp"

#include <doctest/doctest.h>

namespace postrider::test {

driven_pusher::driven_pusher(std::uint16_t port, std::string writer, event::target_kind kind,
                             std::string_view bridge)
    : client_(quick(port)) {
    place.route = "r";
    redis::saver_settings saves;
    saves.groups_of = [](std::size_t) {
        return redis::open_groups{
            [](std::size_t, const redis::open_groups::visitor&) { return std::size_t{0}; },
            [] { return false; }, [](std::size_t, std::string_view) {},
            [] { return std::optional<core::steady::time_point>(); }};
    };
    saves.context_ttl = 60s;
    pusher_ = std::make_unique<redis::pusher>(client_.loop().get_executor(), *client_, std::move(saves),
                                              sink(), std::move(writer), std::string(bridge));
    event::target to;
    to.kind = kind;
    to.name = "q";
    line = pusher_->line_to(to);
    REQUIRE(client_.until_connected());
    asio::co_spawn(client_.loop(), pusher_->run(), [this](const std::exception_ptr& error) {
        CHECK_MESSAGE(!error, "run() ended with an exception");
        ended_ = true;
    });
}

driven_pusher::~driven_pusher() {
    pusher_->stop();
    client_->stop();
    CHECK_MESSAGE(until([this] { return ended_; }), "run() did not return after stop()");
}

redis::pusher_sink driven_pusher::sink() {
    redis::pusher_sink s;
    s.delivered = [this](std::vector<redis::delivery> all) {
        for (auto& d : all)
            delivered.push_back(std::move(d.body));
    };
    s.refused = [this](redis::delivery d, const std::string&) { refused.push_back(std::move(d.body)); };
    s.place_of = [this](std::size_t) { return place; };
    s.stream_fields = [](const redis::delivery& d) {
        return std::vector<std::string>{"length", std::to_string(d.body.size())};
    };
    s.server_changed = [] {};
    s.cannot_save = [] {};
    s.deposed = [this](const std::string& why) {
        deposed.push_back(why);
        pusher_->step_down();
    };
    return s;
}

bool driven_pusher::claims() {
    std::optional<core::result<bool>> kept;
    asio::co_spawn(client_.loop(), pusher_->claim(),
                   [&kept](const std::exception_ptr& error, core::result<bool> answer) {
                       CHECK_MESSAGE(!error, "claim() ended with an exception");
                       kept.emplace(std::move(answer));
                   });
    // Without an answer `kept` must not be left behind while the loop still writes to it.
    if (!until([&] { return kept.has_value(); })) std::abort();
    REQUIRE(kept->has_value());
    return **kept;
}

void driven_pusher::claims_in_vain() {
    std::optional<core::result<bool>> kept;
    asio::co_spawn(client_.loop(), pusher_->claim(),
                   [&kept](const std::exception_ptr& error, core::result<bool> answer) {
                       CHECK_MESSAGE(!error, "claim() ended with an exception");
                       kept.emplace(std::move(answer));
                   });
    int turns = 0;
    until([&] { return ++turns > 50; });
    client_->reconnect("the test wants it");
    if (!until([&] { return kept.has_value(); })) std::abort();
    REQUIRE_FALSE(kept->has_value());
}

void driven_pusher::push(std::string body, std::uint64_t number, std::string key) {
    redis::delivery d;
    d.body = std::move(body);
    d.number = number;
    d.key = std::move(key);
    pusher_->add(line, std::move(d));
}

bool driven_pusher::until_done() {
    return until([this] {
        const auto now = core::steady::now();
        return pusher_->empty() && pusher_->saved_until(now) == now;
    });
}

redis::saved_place driven_pusher::saved_place() {
    std::optional<core::result<redis::saved_place>> saved;
    const auto& keys = pusher_->keys(line);
    asio::co_spawn(client_.loop(), redis::load_place(*client_, keys.place("r"), keys.behind("r")),
                   [&saved](const std::exception_ptr& error, core::result<redis::saved_place> answer) {
                       CHECK_MESSAGE(!error, "load_place() ended with an exception");
                       saved.emplace(std::move(answer));
                   });
    if (!until([&] { return saved.has_value(); })) std::abort();
    REQUIRE(saved->has_value());
    return **saved;
}

}  // namespace postrider::test
