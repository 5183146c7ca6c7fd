#include "bench/arrivals.hpp"

#include <hiredis.h>

#include <chrono>
#include <cstdlib>
#include <stdexcept>
#include <string_view>
#include <utility>

namespace postrider::bench {
namespace {

std::int64_t microseconds_now() {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return std::chrono::duration_cast<std::chrono::microseconds>(now).count();
}

std::int64_t created_at(const redisReply& event) {
    constexpr std::string_view name = "\"created_at\":\"";
    const std::string_view text(event.str, event.len);
    const auto at = text.find(name);
    if (at == std::string_view::npos) throw std::runtime_error("an event without a time");
    return std::atoll(event.str + at + name.size());
}

}  // namespace

arrivals::arrivals(std::uint16_t redis_port)
    : thread_([this, redis_port](const std::stop_token& stopped) { run(stopped, redis_port); }) {}

std::vector<double> arrivals::take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(delays_, {});
}

void arrivals::run(const std::stop_token& stopped, std::uint16_t redis_port) {
    redisContext* redis = redisConnect("127.0.0.1", redis_port);
    while (!stopped.stop_requested()) {
        auto* reply =
            static_cast<redisReply*>(redisCommand(redis, "BLMPOP 0.2 1 bot_messages LEFT COUNT 1000"));
        const auto now = microseconds_now();
        if (reply == nullptr) throw std::runtime_error(redis->errstr);
        if (reply->type == REDIS_REPLY_ERROR) throw std::runtime_error(reply->str);
        if (reply->type == REDIS_REPLY_ARRAY && reply->elements == 2) {
            const auto& events = *reply->element[1];
            const std::lock_guard lock(mutex_);
            for (std::size_t i = 0; i < events.elements; ++i)
                delays_.push_back(static_cast<double>(now - created_at(*events.element[i])));
            count_ += static_cast<std::int64_t>(events.elements);
        }
        freeReplyObject(reply);
    }
    redisFree(redis);
}

}  // namespace postrider::bench
